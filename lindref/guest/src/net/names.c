/* Names of hosts and services. There is no resolver: addresses in numbers, "localhost" and the host's own name. */
#include "../internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int h_errno;

static const struct {
    const char *name;
    int port;
    const char *protocols; /* t, u */
} services[] = {{"echo", 7, "tu"}, {"discard", 9, "tu"}, {"ftp", 21, "t"}, {"ssh", 22, "t"}, {"telnet", 23, "t"},
                {"smtp", 25, "t"}, {"domain", 53, "tu"}, {"http", 80, "t"}, {"pop3", 110, "t"}, {"ntp", 123, "u"},
                {"imap2", 143, "t"}, {"https", 443, "t"}};

static int wants(const char *protocols, const char *protocol)
{
    return !protocol || (!strcmp(protocol, "tcp") && strchr(protocols, 't')) ||
           (!strcmp(protocol, "udp") && strchr(protocols, 'u'));
}

static struct servent *service_entry(int index, const char *protocol)
{
    static char *none[1], name[16], tcp[] = "tcp", udp[] = "udp";
    static struct servent entry;
    strcpy(name, services[index].name);
    entry = (struct servent){name, none, htons(services[index].port),
                             protocol ? *protocol == 't' ? tcp : udp : *services[index].protocols == 't' ? tcp : udp};
    return &entry;
}

struct servent *getservbyname(const char *name, const char *protocol)
{
    for (size_t i = 0; i < LENGTH(services); i++)
        if (!strcmp(services[i].name, name) && wants(services[i].protocols, protocol))
            return service_entry(i, protocol);
    return 0;
}

struct servent *getservbyport(int port, const char *protocol)
{
    for (size_t i = 0; i < LENGTH(services); i++)
        if (htons(services[i].port) == port && wants(services[i].protocols, protocol))
            return service_entry(i, protocol);
    return 0;
}

struct protoent *getprotobyname(const char *name)
{
    static char *none[1], text[8];
    static struct protoent entry;
    int number = !strcmp(name, "ip") ? 0 : !strcmp(name, "icmp") ? 1 : !strcmp(name, "tcp") ? 6 : !strcmp(name, "udp") ? 17 : -1;
    if (number < 0)
        return 0;
    strcpy(text, name);
    entry = (struct protoent){text, none, number};
    return &entry;
}

/* The addresses of a name: of the families wanted, the newer first. How many, or an EAI_ code. */
static int resolve(const char *host, const struct addrinfo *hints, struct sockaddr_storage found[2])
{
    int family = hints->ai_family, count = 0;
    struct sockaddr_in *four;
    struct sockaddr_in6 *six;
    struct in_addr address4;
    struct in6_addr address6;
    char own[65] = "";
    memset(found, 0, 2 * sizeof *found);
    if (host && inet_aton(host, &address4)) {
        if (family == AF_INET6)
            return EAI_NONAME;
        four = (struct sockaddr_in *)found;
        four->sin_family = AF_INET;
        four->sin_addr = address4;
        return 1;
    }
    if (host && inet_pton(AF_INET6, host, &address6) == 1) {
        if (family == AF_INET)
            return EAI_NONAME;
        six = (struct sockaddr_in6 *)found;
        six->sin6_family = AF_INET6;
        six->sin6_addr = address6;
        return 1;
    }
    if (host) {
        if (hints->ai_flags & AI_NUMERICHOST)
            return EAI_NONAME;
        gethostname(own, sizeof own);
        if (strcmp(host, "localhost") && strcmp(host, own) && strcmp(host, "ip6-localhost"))
            return EAI_NONAME;
    }
    int any = !host && hints->ai_flags & AI_PASSIVE;
    if (family != AF_INET) {
        six = (struct sockaddr_in6 *)&found[count++];
        six->sin6_family = AF_INET6;
        six->sin6_addr = any ? in6addr_any : in6addr_loopback;
    }
    if (family != AF_INET6) {
        four = (struct sockaddr_in *)&found[count++];
        four->sin_family = AF_INET;
        four->sin_addr.s_addr = any ? INADDR_ANY : htonl(INADDR_LOOPBACK);
    }
    if (any && count == 2) { /* to listen on: the older family first */
        struct sockaddr_storage first = found[0];
        found[0] = found[1];
        found[1] = first;
    }
    return count;
}

int getaddrinfo(const char *restrict host, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict list)
{
    static const struct {
        int type, protocol;
        const char *name;
    } kinds[] = {{SOCK_STREAM, IPPROTO_TCP, "tcp"}, {SOCK_DGRAM, IPPROTO_UDP, "udp"}, {SOCK_RAW, 0, 0}};
    static const struct addrinfo usual = {.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG};
    struct sockaddr_storage found[2];
    if (!hints)
        hints = &usual;
    if (!host && !service)
        return EAI_NONAME;
    if (hints->ai_flags & AI_CANONNAME && !host)
        return EAI_BADFLAGS;
    if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET && hints->ai_family != AF_INET6)
        return EAI_FAMILY;
    int count = resolve(host, hints, found);
    if (count < 0)
        return count;
    struct addrinfo *first = 0, **last = &first;
    int usable = 0, kind_fits = 0;
    for (int i = 0; i < count; i++) {
        for (size_t k = 0; k < LENGTH(kinds); k++) {
            if (hints->ai_socktype && hints->ai_socktype != kinds[k].type)
                continue;
            if (hints->ai_protocol && kinds[k].protocol && hints->ai_protocol != kinds[k].protocol)
                continue;
            kind_fits = 1;
            int port = 0;
            if (service) {
                char *end;
                port = htons(strtoul(service, &end, 10));
                if (!*service || *end) {
                    struct servent *entry = kinds[k].name && !(hints->ai_flags & AI_NUMERICSERV)
                                                ? getservbyname(service, kinds[k].name) : 0;
                    if (!entry)
                        continue;
                    port = entry->s_port;
                }
            }
            usable = 1;
            struct addrinfo *it = calloc(1, sizeof *it + sizeof(struct sockaddr_storage));
            if (!it) {
                freeaddrinfo(first);
                return EAI_MEMORY;
            }
            it->ai_flags = hints->ai_flags;
            it->ai_family = found[i].ss_family;
            it->ai_socktype = kinds[k].type;
            it->ai_protocol = kinds[k].protocol ? kinds[k].protocol : hints->ai_protocol;
            it->ai_addrlen = it->ai_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
            it->ai_addr = (struct sockaddr *)(it + 1);
            memcpy(it->ai_addr, &found[i], it->ai_addrlen);
            ((struct sockaddr_in *)it->ai_addr)->sin_port = port;
            if (!first && hints->ai_flags & AI_CANONNAME)
                it->ai_canonname = strdup(host);
            *last = it;
            last = &it->ai_next;
        }
    }
    if (!usable)
        return !kind_fits ? EAI_SOCKTYPE : hints->ai_flags & AI_NUMERICSERV ? EAI_NONAME : EAI_SERVICE;
    *list = first;
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list) {
        struct addrinfo *next = list->ai_next;
        free(list->ai_canonname);
        free(list);
        list = next;
    }
}

int getnameinfo(const struct sockaddr *restrict address, socklen_t length, char *restrict host, socklen_t host_size,
                char *restrict service, socklen_t service_size, int flags)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
    int is_four = address->sa_family == AF_INET;
    if ((!is_four && address->sa_family != AF_INET6) || length < (is_four ? sizeof *four : sizeof *six))
        return EAI_FAMILY;
    if (host && host_size) {
        int loopback = is_four ? ntohl(four->sin_addr.s_addr) >> 24 == 127 : IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
        if (loopback && !(flags & NI_NUMERICHOST)) {
            if (host_size < sizeof "localhost")
                return EAI_OVERFLOW;
            strcpy(host, "localhost");
        } else if (flags & NI_NAMEREQD) {
            return EAI_NONAME;
        } else if (!inet_ntop(address->sa_family, is_four ? (const void *)&four->sin_addr : &six->sin6_addr, host,
                              host_size)) {
            return EAI_OVERFLOW;
        }
    }
    if (service && service_size) {
        struct servent *entry = flags & NI_NUMERICSERV ? 0 : getservbyport(four->sin_port, flags & NI_DGRAM ? "udp" : "tcp");
        int needed = entry ? snprintf(service, service_size, "%s", entry->s_name)
                           : snprintf(service, service_size, "%d", ntohs(four->sin_port));
        if (needed >= (int)service_size)
            return EAI_OVERFLOW;
    }
    return 0;
}

const char *gai_strerror(int code)
{
    switch (code) {
    case 0: return "Success";
    case EAI_BADFLAGS: return "Bad value for ai_flags";
    case EAI_NONAME: return "Name or service not known";
    case EAI_AGAIN: return "Temporary failure in name resolution";
    case EAI_FAIL: return "Non-recoverable failure in name resolution";
    case EAI_FAMILY: return "ai_family not supported";
    case EAI_SOCKTYPE: return "ai_socktype not supported";
    case EAI_SERVICE: return "Servname not supported for ai_socktype";
    case EAI_MEMORY: return "Memory allocation failure";
    case EAI_SYSTEM: return "System error";
    case EAI_OVERFLOW: return "Result too large for supplied buffer";
    }
    return "Unknown error";
}

static struct hostent *host_entry(const char *name, struct in_addr address)
{
    static char *none[1], *addresses[2], own[NI_MAXHOST];
    static struct in_addr kept;
    static struct hostent entry;
    snprintf(own, sizeof own, "%s", name);
    kept = address;
    addresses[0] = (char *)&kept;
    entry = (struct hostent){own, none, AF_INET, 4, addresses};
    return &entry;
}

struct hostent *gethostbyname(const char *name)
{
    struct sockaddr_storage found[2];
    struct addrinfo hints = {.ai_family = AF_INET};
    if (resolve(name, &hints, found) == 1)
        return host_entry(name, ((struct sockaddr_in *)found)->sin_addr);
    h_errno = HOST_NOT_FOUND;
    return 0;
}

struct hostent *gethostbyaddr(const void *address, socklen_t length, int family)
{
    struct in_addr wanted;
    if (family == AF_INET && length == 4) {
        memcpy(&wanted, address, 4);
        if (ntohl(wanted.s_addr) >> 24 == 127)
            return host_entry("localhost", wanted);
    }
    h_errno = HOST_NOT_FOUND;
    return 0;
}

const char *hstrerror(int code)
{
    static const char *const text[] = {"Resolver Error 0 (no error)", "Unknown host", "Host name lookup failure",
                                       "Unknown server error", "No address associated with name"};
    return code >= 0 && code < (int)LENGTH(text) ? text[code] : "Unknown resolver error";
}

void herror(const char *text)
{
    if (text && *text)
        fprintf(stderr, "%s: ", text);
    fprintf(stderr, "%s\n", hstrerror(h_errno));
}

unsigned if_nametoindex(const char *name)
{
    if (!strcmp(name, "lo"))
        return 1;
    errno = ENODEV;
    return 0;
}

char *if_indextoname(unsigned index, char *name)
{
    if (index == 1)
        return strcpy(name, "lo");
    errno = ENXIO;
    return 0;
}
