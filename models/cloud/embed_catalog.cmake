# Writes INPUT as a C++ byte array to OUTPUT.
file(READ ${INPUT} hex HEX)
file(SIZE ${INPUT} size)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUTPUT}
"// Made from models/cloud/catalog.csv by embed_catalog.cmake.
extern const unsigned char kCatalogBytes[];
extern const unsigned long kCatalogSize;
const unsigned char kCatalogBytes[] = {${bytes}};
const unsigned long kCatalogSize = ${size};
")
