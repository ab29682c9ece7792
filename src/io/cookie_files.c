/* One file of 32 random bytes a profile, in the runtime directory, which nobody but root and we can
 * write to (socket_path).
 *
 * A cookie of ours gives no right: who the client is, the kernel says, and a login without it
 * succeeds as well. It is for clients that refuse any other login. So the file may be read by
 * everybody where the profile does not say who owns its socket; what a reader learns is how to
 * prove to such a client that it has found onion-grater. Where the socket has an owner, its group
 * may read the file, and others may not. */
#include "cookie_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "secrets.h"
#include "write_file.h"

_Static_assert(TORAUTH_COOKIE_SIZE == TORAUTH_NONCE_SIZE, "a cookie is made as a nonce is");

void cookie_files_init(struct cookie_files *files, const char *runtime_dir)
{
    *files = (struct cookie_files){.runtime_dir = runtime_dir};
}

/* --- one file --- */

static bool cookie_file_identify(const char *path, struct socket_path_id *id_out)
{
    struct stat status;

    if (lstat(path, &status) < 0 || !S_ISREG(status.st_mode))
        return false;
    *id_out = (struct socket_path_id){status.st_dev, status.st_ino};
    return true;
}

static bool cookie_file_is_in_place(const struct cookie_file *file)
{
    struct socket_path_id now;

    return cookie_file_identify(file->path, &now) && now.device == file->id.device &&
           now.inode == file->id.inode;
}

static void cookie_file_free(struct cookie_file *file)
{
    if (cookie_file_is_in_place(file))
        unlink(file->path);
    mem_wipe(&file->cookie, sizeof file->cookie);
    free(file->profile);
    free(file->path);
    free(file);
}

static struct cookie_file *cookie_file_new(const char *runtime_dir, const struct profile *profile)
{
    const struct profile_socket *socket = &profile->socket;
    struct cookie_file *file = mem_zalloc(1, sizeof *file);

    file->profile = mem_copy_string(span_from_string(profile->name));
    file->path = mem_printf("%s/%s.cookie", runtime_dir, profile->name);
    file->user = socket->has_user ? socket->user : (uid_t)-1;
    file->group = socket->has_group ? socket->group : (gid_t)-1;
    file->mode = socket->has_user || socket->has_group ? 0640 : 0644;
    file->cookie.path = file->path;
    return file;
}

/* False: errno says why. */
static bool cookie_file_write(struct cookie_file *file)
{
    const struct write_file_rights rights = {file->mode, file->user, file->group};
    struct span content = span_make((const char *)file->cookie.bytes, sizeof file->cookie.bytes);

    return write_file(file->path, content, &rights) && cookie_file_identify(file->path, &file->id);
}

/* --- all of them --- */

void cookie_files_clear(struct cookie_files *files)
{
    while (files->first) {
        struct cookie_file *file = files->first;
        files->first = file->next;
        cookie_file_free(file);
    }
}

static struct cookie_file *cookie_files_get(const struct cookie_files *files, const char *profile)
{
    for (struct cookie_file *file = files->first; file; file = file->next)
        if (strcmp(file->profile, profile) == 0)
            return file;
    return NULL;
}

static bool cookie_file_suits(const struct cookie_file *file, const struct cookie_file *other)
{
    return file->user == other->user && file->group == other->group && file->mode == other->mode;
}

/* Takes the file from the former list if it is as it should be, else makes it; of profiles with the
 * same name the first decides. */
static void cookie_files_add(struct cookie_files *files, struct cookie_files *former,
                             const struct profile *profile, struct diag_list *diags)
{
    if (cookie_files_get(files, profile->name))
        return;
    struct cookie_file *file = cookie_file_new(files->runtime_dir, profile);
    struct cookie_file *old = cookie_files_get(former, profile->name);
    if (old) /* clients may have read it */
        memcpy(file->cookie.bytes, old->cookie.bytes, sizeof file->cookie.bytes);
    else
        secrets_fill_random(file->cookie.bytes, sizeof file->cookie.bytes);
    if (old && cookie_file_is_in_place(old) && cookie_file_suits(old, file)) {
        file->id = old->id;
    } else if (!cookie_file_write(file)) {
        diag_add(diags, DIAG_ERROR, profile->auth.where,
                 "the cookie file %s cannot be made (%s); the profile's clients are offered none",
                 file->path, strerror(errno));
        cookie_file_free(file);
        return;
    }
    file->next = files->first;
    files->first = file;
}

void cookie_files_update(struct cookie_files *files, const struct policy *policy,
                         struct diag_list *diags)
{
    struct cookie_files former = *files;

    cookie_files_init(files, former.runtime_dir);
    for (size_t i = 0; i < policy->count; i++)
        for (size_t j = 0; j < policy->files[i]->count; j++)
            if (policy->files[i]->profiles[j].auth.cookie)
                cookie_files_add(files, &former, &policy->files[i]->profiles[j], diags);
    /* A file that was taken over has the same identity in both lists. */
    for (struct cookie_file *old = former.first; old; old = old->next)
        if (cookie_files_get(files, old->profile))
            old->id = (struct socket_path_id){0};
    cookie_files_clear(&former);
}

const struct session_cookie *cookie_files_find(const struct cookie_files *files,
                                               const struct policy_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct profile *profile = view->profiles[i];
        const struct cookie_file *file =
            profile->auth.cookie ? cookie_files_get(files, profile->name) : NULL;
        if (file)
            return &file->cookie;
    }
    return NULL;
}
