/*
 * Downloads as a device does, with the generated ota_server_tls.h: the core's WiFiClientSecure logic with the real BearSSL.
 *
 *     download-as-device PORT NAME anchor|key BUFFER full|basic now|1970 TIMES
 *
 * Connects to 127.0.0.1 under the server name NAME, TIMES times in a row with one Session, sends its stdin, and reads to the
 * end. BUFFER is passed to setBufferSizes for both directions: below 16384 bytes, BearSSL requests records of that length (MFLN).
 * "basic" is a sketch built with "Basic SSL ciphers"; "1970" is one that has not synchronized its clock. Prints a line for each
 * connection:
 *
 *     STATUS MD5-OF-BODY full|resumed BYTES-OF-HANDSHAKE         failed BEARSSL-ERROR
 */
#include <arpa/inet.h>
#include <bearssl/bearssl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ota_server_tls.h>
#include "public-key.h"

/* WiFiClientSecure::setBufferSizes */
enum { IN_OVERHEAD = 325, OUT_OVERHEAD = 85, MOST_BYTES = 16384 + IN_OVERHEAD, MOST_REQUEST_BYTES = 2048 };
/* Days from the year 0 to 1970, as in WiFiClientSecure::_installClientX509Validator */
enum { DAYS_BEFORE_1970 = 719528 };

typedef struct {
	int socket;
	size_t received;
} wire;

static int receive(void *context, unsigned char *bytes, size_t length)
{
	wire *line = context;
	ssize_t count = read(line->socket, bytes, length);
	if (count <= 0)
		return -1;
	line->received += (size_t)count;
	return (int)count;
}

static int transmit(void *context, const unsigned char *bytes, size_t length)
{
	ssize_t count = send(((wire *)context)->socket, bytes, length, MSG_NOSIGNAL);
	return count <= 0 ? -1 : (int)count;
}

static void append_name(void *context, const void *bytes, size_t length)
{
	append(context, bytes, length);
}

/* BearSSL::X509List: keeps only the name and the key of a trusted certificate. */
static br_x509_trust_anchor read_anchor(void)
{
	static der_text certificate, name;
	static br_x509_decoder_context decoder;
	decode_pem(ota_server_ca, strlen_P(ota_server_ca), "CERTIFICATE", &certificate);
	br_x509_decoder_init(&decoder, append_name, &name);
	br_x509_decoder_push(&decoder, certificate.bytes, certificate.length);
	br_x509_pkey *key = br_x509_decoder_get_pkey(&decoder);
	if (key == NULL || !br_x509_decoder_isCA(&decoder))
		fail("not the certificate of an authority");
	br_x509_trust_anchor anchor = { { name.bytes, name.length }, BR_X509_TA_CA, *key };
	return anchor;
}

static int dial(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct timeval patience = { .tv_sec = 20 };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int line = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (line < 0 || connect(line, (struct sockaddr *)&address, sizeof address) != 0)
		fail("no connection");
	return line;
}

/* Reads a response to its end and computes the MD5 of its body. */
static void print_answer(br_sslio_context *stream)
{
	static char head[4096];
	unsigned char piece[256], digest[br_md5_SIZE];
	size_t length = 0;
	const char *end = NULL;
	br_md5_context md5;
	br_md5_init(&md5);
	for (int count; (count = br_sslio_read(stream, piece, sizeof piece)) > 0;) {
		if (end != NULL) {
			br_md5_update(&md5, piece, (size_t)count);
			continue;
		}
		if (length + (size_t)count >= sizeof head)
			fail("a head without an end");
		memcpy(head + length, piece, (size_t)count);
		length += (size_t)count;
		head[length] = 0;
		end = strstr(head, "\r\n\r\n");
		if (end != NULL)
			br_md5_update(&md5, end + 4, (size_t)(head + length - (end + 4)));
	}
	br_md5_out(&md5, digest);
	int status = 0;
	if (sscanf(head, "HTTP/1.%*d %d", &status) != 1)
		fail("no answer");
	printf("%d ", status);
	for (size_t at = 0; at < sizeof digest; at++)
		printf("%02x", digest[at]);
}

int main(int argc, char **argv)
{
	static const uint16_t basic[] = { BR_TLS_RSA_WITH_AES_256_CBC_SHA256, BR_TLS_RSA_WITH_AES_128_CBC_SHA256,
		BR_TLS_RSA_WITH_AES_256_CBC_SHA, BR_TLS_RSA_WITH_AES_128_CBC_SHA };
	static unsigned char in[MOST_BYTES], out[MOST_BYTES];
	static char request[MOST_REQUEST_BYTES];
	if (argc != 8)
		fail("usage: download-as-device PORT NAME anchor|key BUFFER full|basic now|1970 TIMES");
	size_t request_length = fread(request, 1, sizeof request, stdin);
	size_t buffer = (size_t)atoi(argv[4]);
	if (buffer + IN_OVERHEAD > MOST_BYTES)
		fail("such a buffer is never needed");

	br_x509_trust_anchor anchor = read_anchor();
	der_text key_text;
	decode_pem(ota_server_key, strlen_P(ota_server_key), "PUBLIC KEY", &key_text);
	br_rsa_public_key key = decode_key(&key_text);
	br_ssl_session_parameters session;
	memset(&session, 0, sizeof session);

	for (int times = atoi(argv[7]); times > 0; times--) {
		br_ssl_client_context client;
		br_x509_minimal_context minimal;
		br_x509_knownkey_context known;
		br_sslio_context stream;
		wire line = { dial(atoi(argv[1])), 0 };
		br_ssl_client_init_full(&client, &minimal, &anchor, 1);
		if (strcmp(argv[5], "basic") == 0)
			br_ssl_engine_set_suites(&client.eng, basic, sizeof basic / sizeof *basic);
		if (strcmp(argv[6], "1970") == 0)
			br_x509_minimal_set_time(&minimal, DAYS_BEFORE_1970, 0);
		if (strcmp(argv[3], "key") == 0) {
			br_x509_knownkey_init_rsa(&known, &key, BR_KEYTYPE_KEYX | BR_KEYTYPE_SIGN);
			br_ssl_engine_set_x509(&client.eng, &known.vtable);
		}
		br_ssl_engine_set_buffers_bidi(&client.eng, in, buffer + IN_OVERHEAD, out, buffer + OUT_OVERHEAD);
		br_ssl_engine_set_session_parameters(&client.eng, &session);
		if (!br_ssl_client_reset(&client, argv[2], 1))
			fail("the client cannot begin");
		br_sslio_init(&stream, &client.eng, receive, &line, transmit, &line);

		if (br_sslio_write_all(&stream, request, request_length) != 0 || br_sslio_flush(&stream) != 0) {
			printf("failed %d\n", br_ssl_engine_last_error(&client.eng));
			close(line.socket);
			continue;
		}
		br_ssl_session_parameters now;
		size_t handshake_bytes = line.received;
		br_ssl_engine_get_session_parameters(&client.eng, &now);
		int is_resumed = now.session_id_len > 0 && now.session_id_len == session.session_id_len &&
			memcmp(now.session_id, session.session_id, now.session_id_len) == 0;
		session = now;
		print_answer(&stream);
		printf(" %s %zu\n", is_resumed ? "resumed" : "full", handshake_bytes);
		br_sslio_close(&stream);
		close(line.socket);
	}
	return 0;
}
