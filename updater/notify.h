/* What systemd wants to hear of a service of Type=notify (sd_notify(3)), without its library. */
#ifndef UPDATER_NOTIFY_H
#define UPDATER_NOTIFY_H

/* "READY=1", "WATCHDOG=1", "STATUS=...", lines of them. Nothing without NOTIFY_SOCKET. */
void notify_send(const char *state);

#endif
