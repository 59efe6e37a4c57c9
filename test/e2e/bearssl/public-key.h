/* Reads PEM text and RSA keys with the real BearSSL, as the core's BearSSLHelpers.cpp does. */
#pragma once
#include <bearssl/bearssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DER_BYTES = 2048 };

typedef struct {
	unsigned char bytes[MOST_DER_BYTES];
	size_t length;
} der_text;

typedef struct {
	const unsigned char *at;
	size_t left;
} der_reader;

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(2);
}

static void append(void *context, const void *bytes, size_t length)
{
	der_text *der = context;
	if (der->length + length > sizeof der->bytes)
		fail("the PEM holds too much");
	memcpy(der->bytes + der->length, bytes, length);
	der->length += length;
}

/* Returns the first object with this name in a PEM text; adds a line ending, as the device does. */
static void decode_pem(const char *pem, size_t length, const char *name, der_text *der)
{
	br_pem_decoder_context decoder;
	int is_wanted = 0, line_end_added = 0;
	br_pem_decoder_init(&decoder);
	while (length > 0 || !line_end_added) {
		if (length == 0) {
			pem = "\n";
			length = 1;
			line_end_added = 1;
		}
		size_t taken = br_pem_decoder_push(&decoder, pem, length);
		pem += taken;
		length -= taken;
		switch (br_pem_decoder_event(&decoder)) {
		case BR_PEM_BEGIN_OBJ:
			is_wanted = strcmp(br_pem_decoder_name(&decoder), name) == 0;
			der->length = 0;
			br_pem_decoder_setdest(&decoder, is_wanted ? append : NULL, der);
			break;
		case BR_PEM_END_OBJ:
			if (is_wanted)
				return;
			break;
		case BR_PEM_ERROR:
			fail("the PEM is broken");
		}
	}
	fail("the PEM does not hold what is wanted");
}

/* Enters the next element, which must have this tag; the outer reader continues after it. */
static der_reader enter(der_reader *outer, unsigned tag)
{
	if (outer->left < 2 || outer->at[0] != tag)
		fail("the DER has another shape");
	size_t length = outer->at[1], header = 2;
	if (length >= 0x80) {
		size_t count = length & 0x7f;
		if (count == 0 || count > 3 || outer->left < 2 + count)
			fail("a length of the DER is odd");
		for (length = 0; header < 2 + count; header++)
			length = length << 8 | outer->at[header];
	}
	if (length > outer->left - header)
		fail("the DER is cut off");
	der_reader inner = { outer->at + header, length };
	outer->at += header + length;
	outer->left -= header + length;
	return inner;
}

/* RSA SubjectPublicKeyInfo (RFC 3279, 2.3.1); integers without the leading zero for their sign. */
static br_rsa_public_key decode_key(der_text *der)
{
	static const unsigned char rsa_encryption[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
	der_reader file = { der->bytes, der->length };
	der_reader info = enter(&file, 0x30);
	der_reader algorithm = enter(&info, 0x30);
	der_reader oid = enter(&algorithm, 0x06);
	if (oid.left != sizeof rsa_encryption || memcmp(oid.at, rsa_encryption, oid.left) != 0)
		fail("not an RSA key");
	der_reader bits = enter(&info, 0x03);
	if (bits.left == 0 || bits.at[0] != 0)
		fail("the key is no whole bytes");
	bits.at++;
	bits.left--;
	der_reader numbers = enter(&bits, 0x30);
	der_reader n = enter(&numbers, 0x02), e = enter(&numbers, 0x02);
	for (; n.left > 0 && n.at[0] == 0; n.at++, n.left--)
		;
	for (; e.left > 0 && e.at[0] == 0; e.at++, e.left--)
		;
	br_rsa_public_key key = { (unsigned char *)n.at, n.left, (unsigned char *)e.at, e.left };
	return key;
}
