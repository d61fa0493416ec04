# Writes TO, a C source with the bytes of FROM; see embed.cmake.
file(READ ${FROM} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR len "${digits} / 2")
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${TO} "extern const unsigned char ${SYMBOL}[${len}];
extern const unsigned long ${SYMBOL}_len;
const unsigned char ${SYMBOL}[${len}] = {
${bytes}};
const unsigned long ${SYMBOL}_len = ${len};
")
