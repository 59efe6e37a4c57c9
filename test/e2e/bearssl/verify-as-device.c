/*
 * Verifies an update as a device does, with the generated Updater_Signing.h: the key is parsed from the array as in
 * BearSSL::PublicKey::parse (strlen_P, PEM, RSA key), and the update is verified as in UpdaterClass::end and
 * SigningVerifier::verify. The cryptography is the real BearSSL, in the variant that the ESP8266 uses (i15).
 *
 *     verify-as-device FILE current|legacy
 *
 * Prints "RSA <bits> <modulus in hex>", then a verdict for each line of stdin: "whole", "flip <bit>" (with this bit of the
 * file inverted), "cut <bytes>" (without that many bytes at the end). "legacy" is a device with core 2.5.x, which does not use DigestInfo.
 */
#include <bearssl/bearssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <Updater_Signing.h>

#include "public-key.h"

enum { LENGTH_WORD_BYTES = 4, HASH_PIECE_BYTES = 128 };

static int verifies(const unsigned char *hash, const unsigned char *signature, size_t length, const br_rsa_public_key *key,
	int is_legacy)
{
	/* Length and bytes of an OID, in the form that BearSSL expects. */
	static const unsigned char sha256_oid[] = { 9, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 };
	unsigned char found[br_sha256_SIZE];
	if (!br_rsa_i15_pkcs1_vrfy(signature, length, is_legacy ? NULL : sha256_oid, sizeof found, key, found))
		return 0;
	return memcmp(found, hash, sizeof found) == 0;
}

static int accepts(const unsigned char *file, size_t size, const br_rsa_public_key *key, int is_legacy)
{
	if (size < LENGTH_WORD_BYTES)
		return 0;
	const unsigned char *word = file + size - LENGTH_WORD_BYTES;
	uint32_t length = word[0] | word[1] << 8 | word[2] << 16 | (uint32_t)word[3] << 24;
	if (length != key->nlen || size < length + LENGTH_WORD_BYTES)
		return 0;
	size_t payload = size - length - LENGTH_WORD_BYTES;

	br_sha256_context context;
	unsigned char hash[br_sha256_SIZE];
	br_sha256_init(&context);
	for (size_t at = 0; at < payload; at += HASH_PIECE_BYTES) {
		size_t piece = payload - at < HASH_PIECE_BYTES ? payload - at : HASH_PIECE_BYTES;
		br_sha256_update(&context, file + at, piece);
	}
	br_sha256_out(&context, hash);
	return verifies(hash, file + payload, length, key, is_legacy);
}

static unsigned char *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL || fseek(file, 0, SEEK_END) != 0)
		fail("the file cannot be opened");
	*size = (size_t)ftell(file);
	rewind(file);
	unsigned char *bytes = malloc(*size + 1);
	if (bytes == NULL || fread(bytes, 1, *size, file) != *size)
		fail("the file cannot be read");
	fclose(file);
	return bytes;
}

static void print_key(const br_rsa_public_key *key)
{
	unsigned bits = (unsigned)key->nlen * 8;
	for (unsigned char first = key->n[0]; first < 0x80; first = (unsigned char)(first << 1))
		bits--;
	printf("RSA %u ", bits);
	for (size_t at = 0; at < key->nlen; at++)
		printf("%02x", key->n[at]);
	printf("\n");
}

int main(int argc, char **argv)
{
	if (argc != 3)
		fail("usage: verify-as-device FILE current|legacy");
	der_text der;
	decode_pem(signing_pubkey, strlen_P(signing_pubkey), "PUBLIC KEY", &der);
	br_rsa_public_key key = decode_key(&der);
	print_key(&key);

	size_t size;
	unsigned char *file = read_file(argv[1], &size);
	int is_legacy = strcmp(argv[2], "legacy") == 0;
	char line[64];
	while (fgets(line, sizeof line, stdin) != NULL) {
		unsigned long number;
		int accepted;
		if (sscanf(line, "flip %lu", &number) == 1 && number / 8 < size) {
			file[number / 8] ^= (unsigned char)(1 << number % 8);
			accepted = accepts(file, size, &key, is_legacy);
			file[number / 8] ^= (unsigned char)(1 << number % 8);
		} else if (sscanf(line, "cut %lu", &number) == 1 && number <= size) {
			accepted = accepts(file, size - number, &key, is_legacy);
		} else if (strcmp(line, "whole\n") == 0) {
			accepted = accepts(file, size, &key, is_legacy);
		} else {
			fail("an order that is not understood");
			return 2;
		}
		puts(accepted ? "accepted" : "refused");
	}
	free(file);
	return 0;
}
