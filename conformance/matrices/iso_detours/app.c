/* ISO-005: beneath a grate that lets nobody unlink: threads, children of threads, other images, numbers of others. */
#include <errno.h>
#include <fcntl.h>
#include <lind_syscall.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int raw(uint64_t self, uint64_t target)
{
    uint64_t path = lind_host_address("/tmp/kept"), me = lind_get_cage_id();
    return make_threei_call(LIND_CALL_UNLINK, 0, self, target, path, me, NOTUSED, me, NOTUSED, me, NOTUSED, me,
                            NOTUSED, me, NOTUSED, me, 0);
}

static const char *attempt(void)
{
    return unlink("/tmp/kept") == 0 ? "GONE" : errno == EPERM ? "refused" : strerror(errno);
}

static void *in_thread(void *given)
{
    const char **said = given;
    said[0] = attempt();
    pid_t child = fork();
    if (child == 0)
        _exit(strcmp(attempt(), "refused") != 0);
    int status = 0;
    waitpid(child, &status, 0);
    said[1] = status ? "GONE" : "refused";
    return NULL;
}

int main(int argc, char **argv)
{
    (void)argv;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    if (argc > 1) {
        printf("another image of a grandchild: %s\n", attempt());
        return 0;
    }
    const char *said[2];
    pthread_t thread;
    uint64_t me = lind_get_cage_id();
    pthread_create(&thread, NULL, in_thread, said);
    pthread_join(thread, NULL);
    printf("in a thread: %s, in its child: %s\n", said[0], said[1]);
    printf("as the grate: %d, for the grate: %d\n", raw(me - 1, me - 1) == 0, raw(me, me - 1) == 0);
    copy_handler_table_to_cage(me - 1, me);
    printf("with the grate's table: %s\n", attempt());
    printf("by a number of no call: %d\n", make_threei_call(999, 0, me, me, 0, me, 0, me, 0, me, 0, me, 0, me, 0, me, 0));
    register_handler(me, LIND_CALL_UNLINK, me, 0);
    printf("with a handler of its own: %s\n", attempt());
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0) {
            execl("app.wasm", "app.wasm", "again", NULL);
            _exit(9);
        }
        wait(NULL);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    printf("kept: %d\n", access("/tmp/kept", F_OK) == 0);
    return 0;
}
