/* Users and groups, from the files that list them. */
#include "../internal.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *users, *groups;

/* Cut a line at its colons: exactly `count` fields, or 0. */
static int cut(char *line, char **fields, int count)
{
    line[strcspn(line, "\n")] = 0;
    for (int i = 0; i < count; i++) {
        fields[i] = line;
        line = strchr(line, ':');
        if (!line)
            return i == count - 1;
        *line++ = 0;
    }
    return 0;
}

static int parse_user(char *line, struct passwd *entry)
{
    char *f[7];
    if (!cut(line, f, 7))
        return 0;
    *entry = (struct passwd){f[0], f[1], strtoul(f[2], 0, 10), strtoul(f[3], 0, 10), f[4], f[5], f[6]};
    return 1;
}

/* The first user that fits, out of the whole file. */
static int find_user(const char *name, uid_t user, struct passwd *entry, char *buffer, size_t size, struct passwd **result)
{
    *result = 0;
    FILE *file = fopen("/etc/passwd", "re");
    if (!file)
        return errno == ENOENT ? 0 : errno;
    int failed = 0;
    while (fgets(buffer, size, file)) {
        if (!strchr(buffer, '\n') && !feof(file)) {
            failed = ERANGE;
            break;
        }
        if (parse_user(buffer, entry) && (name ? !strcmp(entry->pw_name, name) : entry->pw_uid == user)) {
            *result = entry;
            break;
        }
    }
    fclose(file);
    return failed;
}

int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size, struct passwd **result)
{
    return find_user(name, 0, entry, buffer, size, result);
}

int getpwuid_r(uid_t user, struct passwd *entry, char *buffer, size_t size, struct passwd **result)
{
    return find_user(0, user, entry, buffer, size, result);
}

static char user_line[1024], group_line[1024];
static struct passwd user_entry;

struct passwd *getpwnam(const char *name)
{
    struct passwd *result;
    int failed = getpwnam_r(name, &user_entry, user_line, sizeof user_line, &result);
    if (failed)
        errno = failed;
    return result;
}

struct passwd *getpwuid(uid_t user)
{
    struct passwd *result;
    int failed = getpwuid_r(user, &user_entry, user_line, sizeof user_line, &result);
    if (failed)
        errno = failed;
    return result;
}

struct passwd *getpwent(void)
{
    if (!users && !(users = fopen("/etc/passwd", "re")))
        return 0;
    while (fgets(user_line, sizeof user_line, users))
        if (parse_user(user_line, &user_entry))
            return &user_entry;
    return 0;
}

void endpwent(void)
{
    if (users)
        fclose(users);
    users = 0;
}

void setpwent(void)
{
    endpwent();
}

struct group *getgrent(void)
{
    static char *members[64];
    static struct group entry;
    if (!groups && !(groups = fopen("/etc/group", "re")))
        return 0;
    while (fgets(group_line, sizeof group_line, groups)) {
        char *f[4], *at;
        if (!cut(group_line, f, 4))
            continue;
        unsigned count = 0;
        for (at = strtok(f[3], ","); at && count + 1 < LENGTH(members); at = strtok(0, ","))
            members[count++] = at;
        members[count] = 0;
        entry = (struct group){f[0], f[1], strtoul(f[2], 0, 10), members};
        return &entry;
    }
    return 0;
}

void endgrent(void)
{
    if (groups)
        fclose(groups);
    groups = 0;
}

void setgrent(void)
{
    endgrent();
}

struct group *getgrnam(const char *name)
{
    struct group *entry;
    setgrent();
    while ((entry = getgrent()) && strcmp(entry->gr_name, name))
        ;
    endgrent();
    return entry;
}

struct group *getgrgid(gid_t group)
{
    struct group *entry;
    setgrent();
    while ((entry = getgrent()) && entry->gr_gid != group)
        ;
    endgrent();
    return entry;
}
