/* Cookie and password are read anew for every login: tor writes a new cookie whenever it starts
 * (control-protocol 8.1), and nothing secret stays in memory between logins. */
#include "secrets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "log.h"
#include "read_file.h"

#define SECRETS_REASON_MAX 1024
#define SECRETS_PASSWORD_MAX 1024
/* A file of another size than the cookie's is to be told from one that cannot be read. */
#define SECRETS_COOKIE_READ 4096

void secrets_init(struct secrets *secrets, const char *cookie_path, const char *password_file,
                  const struct containment_places *places)
{
    secrets->cookie_path = cookie_path;
    secrets->password_file = password_file;
    secrets->places = places;
    secrets->is_short = false;
    buf_init(&secrets->reason, SECRETS_REASON_MAX);
}

void secrets_clear(struct secrets *secrets)
{
    buf_clear(&secrets->reason);
}

static const char *secrets_reason(struct secrets *secrets)
{
    if (!buf_append_char(&secrets->reason, '\0')) {
        buf_truncate(&secrets->reason, SECRETS_REASON_MAX - 1);
        secrets->reason.overflow = false;
        buf_append_char(&secrets->reason, '\0');
    }
    return buf_span(&secrets->reason).data;
}

/* Begins the reason with what could not be read. */
static void secrets_begin_reason(struct secrets *secrets, const char *what, const char *path)
{
    secrets->is_short = false;
    buf_reset(&secrets->reason);
    buf_printf(&secrets->reason, "%s ", what);
    buf_append_escaped(&secrets->reason, span_from_string(path), 128);
    buf_append_string(&secrets->reason, ": ");
}

static void secrets_note_shortage(struct secrets *secrets)
{
    secrets->is_short = true;
    buf_append_string(&secrets->reason, "; this is onion-grater's own shortage: raise LimitNOFILE "
                                        "or lower limits: sessions");
}

static void secrets_advise_on_denial(struct secrets *secrets, const char *path)
{
    if (containment_bars_reading(secrets->places, path))
        buf_append_string(&secrets->reason,
                          "; onion-grater reads only where it was told to when it started "
                          "(containment): name this file in control-cookie-path, and restart it");
    else
        buf_append_string(&secrets->reason,
                          "; onion-grater's own user has to be in the group that owns it "
                          "(debian-tor on Debian), no application and no person has to. In torrc: "
                          "\"CookieAuthFile /run/tor/control.authcookie\", "
                          "\"CookieAuthFileGroupReadable 1\"");
}

static bool secrets_take_cookie(struct secrets *secrets, struct span content,
                                uint8_t cookie_out[TORAUTH_COOKIE_SIZE])
{
    if (content.len == TORAUTH_COOKIE_SIZE) {
        memcpy(cookie_out, content.data, content.len);
        return true;
    }
    buf_printf(&secrets->reason,
               "the file has %zu bytes, a cookie has %d; it may be another program's, or tor is "
               "just writing it",
               content.len, TORAUTH_COOKIE_SIZE);
    return false;
}

static bool secrets_read_cookie(void *context, const char *path,
                                uint8_t cookie_out[TORAUTH_COOKIE_SIZE], const char **reason_out)
{
    struct secrets *secrets = context;
    struct buf content;
    bool done = false;

    if (secrets->cookie_path)
        path = secrets->cookie_path;
    secrets_begin_reason(secrets, "tor's cookie", path);
    enum read_file_result result =
        read_file(path, SECRETS_COOKIE_READ, &content, NULL, &secrets->reason);
    if (result == READ_FILE_OK)
        done = secrets_take_cookie(secrets, buf_span(&content), cookie_out);
    else if (result == READ_FILE_DENIED)
        secrets_advise_on_denial(secrets, path);
    else if (result == READ_FILE_SHORTAGE)
        secrets_note_shortage(secrets);
    buf_wipe(&content);
    if (!done)
        *reason_out = secrets_reason(secrets);
    return done;
}

/* Editors add the end of the line, others leave notes below it. */
static struct span secrets_first_line(struct span content)
{
    const char *end = content.len > 0 ? memchr(content.data, '\n', content.len) : NULL;

    if (!end)
        return content;
    content.len = (size_t)(end - content.data);
    if (content.len > 0 && content.data[content.len - 1] == '\r')
        content.len--;
    return content;
}

static bool secrets_take_password(struct secrets *secrets, struct span content,
                                  const struct stat *status, struct buf *out)
{
    if (status->st_mode & S_IROTH) {
        buf_append_string(&secrets->reason, "everybody may read the file; take that right away "
                                            "(chmod o-r) and change the password");
        return false;
    }
    content = secrets_first_line(content);
    if (content.len == 0) {
        buf_append_string(&secrets->reason, "the first line is empty; the password belongs there");
        return false;
    }
    return buf_append(out, content);
}

static bool secrets_read_password(void *context, struct buf *out, const char **reason_out)
{
    struct secrets *secrets = context;
    struct buf content;
    struct stat status;
    bool done = false;

    *reason_out = NULL;
    if (!secrets->password_file)
        return false;
    secrets_begin_reason(secrets, "the password file", secrets->password_file);
    enum read_file_result result = read_file(secrets->password_file, SECRETS_PASSWORD_MAX, &content,
                                             &status, &secrets->reason);
    if (result == READ_FILE_OK)
        done = secrets_take_password(secrets, buf_span(&content), &status, out);
    else if (result == READ_FILE_SHORTAGE)
        secrets_note_shortage(secrets);
    buf_wipe(&content);
    if (!done)
        *reason_out = secrets_reason(secrets);
    return done;
}

void secrets_fill_random(uint8_t *bytes_out, size_t len)
{
    size_t filled = 0;

    while (filled < len) {
        ssize_t got = getrandom(bytes_out + filled, len - filled, 0);
        if (got > 0) {
            filled += (size_t)got;
        } else if (errno != EINTR) {
            /* A guessable nonce would let a false tor replay an old proof. */
            log_at(LOG_LEVEL_ERROR, "the kernel gives no random bytes: %s", strerror(errno));
            abort();
        }
    }
}

static void secrets_fill_nonce(void *context, uint8_t nonce_out[TORAUTH_NONCE_SIZE])
{
    (void)context;
    secrets_fill_random(nonce_out, TORAUTH_NONCE_SIZE);
}

struct torauth_secrets secrets_interface(struct secrets *secrets)
{
    return (struct torauth_secrets){
        .read_cookie = secrets_read_cookie,
        .read_password = secrets_read_password,
        .nonce = secrets_fill_nonce,
        .context = secrets,
    };
}

bool secrets_take_shortage(const struct torauth_secrets *interface)
{
    struct secrets *secrets = interface->context;
    bool is_short = secrets->is_short;

    secrets->is_short = false;
    return is_short;
}
