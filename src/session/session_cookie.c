/* How a client logs in to us. The kernel has already said who it is, so every login succeeds; what
 * is offered is for clients that insist on a form (control-protocol 2.6, 8.2). Those that log in by
 * a cookie also want to see that we know it: AUTHCHALLENGE is answered as tor answers it. */
#include "session_parts.h"

#include <stdlib.h>

#include "hex.h"
#include "mem.h"
#include "quoted.h"
#include "words.h"

struct session_cookie *session_cookie_copy(const struct session_cookie *cookie)
{
    if (!cookie)
        return NULL;
    struct session_cookie *copy = mem_zalloc(1, sizeof *copy);
    *copy = *cookie;
    copy->path = mem_copy_string(span_from_string(cookie->path));
    return copy;
}

void session_cookie_free(struct session_cookie *cookie)
{
    if (!cookie)
        return;
    free((char *)cookie->path);
    mem_wipe(cookie, sizeof *cookie);
    free(cookie);
}

void session_greet(const struct session *session, struct pending *pending)
{
    const char *version =
        session->facts->version[0] ? session->facts->version : TOR_VERSION_FALLBACK;

    /* NULL suits every client; HASHEDPASSWORD is for those that were given a password and insist on
     * using it. */
    buf_append_string(&pending->text, "250-PROTOCOLINFO 1\r\n"
                                      "250-AUTH METHODS=NULL,HASHEDPASSWORD");
    if (session->cookie) {
        buf_append_string(&pending->text, ",COOKIE,SAFECOOKIE COOKIEFILE=");
        quoted_encode(span_from_string(session->cookie->path), &pending->text);
    }
    buf_printf(&pending->text,
               "\r\n"
               "250-VERSION Tor=\"%s\"\r\n"
               "250 OK\r\n",
               version);
    pending->kind = PENDING_LOCAL;
}

/* The value in quotes, in which a backslash takes the next character as it is. False: the quotes do
 * not end where the text ends. */
static bool decode_quoted(struct span text, struct buf *out)
{
    size_t i = 1;

    while (i < text.len && text.data[i] != '"') {
        i += text.data[i] == '\\';
        if (i >= text.len)
            return false;
        buf_append_char(out, text.data[i++]);
    }
    return i + 1 == text.len;
}

static bool decode_hex(struct span text, struct buf *out)
{
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        buf_append_char(out, (char)(high * 16 + low));
    }
    return text.len % 2 == 0;
}

static struct span without_outer_spaces(struct span text)
{
    while (text.len > 0 && text.data[0] == ' ')
        text = span_from(text, 1);
    while (text.len > 0 && text.data[text.len - 1] == ' ')
        text.len--;
    return text;
}

/* Reads the client's nonce, of any length. NULL, or the answer to a malformed challenge. */
static const char *read_nonce(struct span arguments, struct buf *nonce)
{
    struct span method;

    if (!words_next(&arguments, &method))
        return "512 AUTHCHALLENGE takes SAFECOOKIE and a nonce\r\n";
    if (!span_equals_nocase(method, SPAN("SAFECOOKIE")))
        return "513 the only method of AUTHCHALLENGE is SAFECOOKIE\r\n";
    arguments = without_outer_spaces(arguments);
    if (arguments.len > 0 && arguments.data[0] == '"')
        return decode_quoted(arguments, nonce) ? NULL : "512 the nonce's quotes do not end it\r\n";
    if (words_count(arguments) != 1)
        return "512 AUTHCHALLENGE takes SAFECOOKIE and one nonce\r\n";
    if (span_find(arguments, '=') < arguments.len)
        return "512 AUTHCHALLENGE takes no keyword arguments\r\n";
    return decode_hex(arguments, nonce) ? NULL : "513 the nonce is not hexadecimal\r\n";
}

static void answer_nonce(const struct session *session, struct span client_nonce, struct buf *out)
{
    const struct torauth_secrets *secrets = session->auth.secrets;
    uint8_t nonce[TORAUTH_NONCE_SIZE], digest[HMAC_SIZE];

    secrets->nonce(secrets->context, nonce);
    torauth_hash_server(session->cookie->bytes, client_nonce,
                        span_make((const char *)nonce, sizeof nonce), digest);
    buf_append_string(out, "250 AUTHCHALLENGE SERVERHASH=");
    hex_append(out, digest, sizeof digest);
    buf_append_string(out, " SERVERNONCE=");
    hex_append(out, nonce, sizeof nonce);
    buf_append_string(out, "\r\n");
}

void session_answer_challenge(const struct session *session, struct span arguments, struct buf *out)
{
    struct buf nonce;

    buf_init(&nonce, COMMAND_MAX_LINE);
    const char *refusal = read_nonce(arguments, &nonce);
    if (refusal)
        buf_append_string(out, refusal);
    else
        answer_nonce(session, buf_span(&nonce), out);
    buf_wipe(&nonce);
}
