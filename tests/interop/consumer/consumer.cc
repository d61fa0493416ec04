// The same from C++, and every function that the headers declare: all.inc is made
// from them. A name without C linkage would not be found.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "headers.inc"

static const void *const all[] = {
#include "all.inc"
};

template <typename T, void (*f)(T *)> struct deleter {
    void operator()(T *p) const { f(p); }
};

static std::string slurp(const char *path)
{
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

int main(int argc, char **argv)
{
    mauth_expect want{};
    mauth_err err = MAUTH_ERR_INIT;
    mauth_key *key = nullptr;
    mauth_trust *trust = nullptr;
    mauth_ticket *ticket = nullptr;

    if (argc != 6 || !all[0])
        return 2;
    want.size = sizeof(want);
    want.audience = argv[4];
    want.now_s = std::atoll(argv[5]);
    want.allow_bearer = true;
    std::string pem = slurp(argv[2]), xml = slurp(argv[1]);
    mauth_rc rc = mauth_key_from_pem(pem.data(), pem.size(), &key, &err);
    std::unique_ptr<mauth_key, deleter<mauth_key, mauth_key_free>> k(key);
    if (rc == MAUTH_OK)
        rc = mauth_trust_from_key(argv[3], key, &trust, &err);
    std::unique_ptr<mauth_trust, deleter<mauth_trust, mauth_trust_free>> t(trust);
    if (rc == MAUTH_OK)
        rc = mauth_ticket_verify(xml.data(), xml.size(), trust, &want, &ticket, &err);
    std::unique_ptr<mauth_ticket, deleter<mauth_ticket, mauth_ticket_free>> x(ticket);
    if (rc == MAUTH_OK)
        std::puts(mauth_ticket_subject(ticket));
    else
        std::printf("%s: %s\n", mauth_reason_name(err.reason), err.text);
    return rc != MAUTH_OK;
}
