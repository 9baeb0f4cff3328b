/* System V shared memory: between processes, read-only, counted attachments, removal, what is refused. */
#include "../net.h"

#include <stdint.h>
#include <sys/shm.h>

int main(void)
{
    struct shmid_ds status;
    int id = shmget(0x1234567, 10000, IPC_CREAT | IPC_EXCL | 0600);
    printf("created %d\n", id >= 0);
    show("exclusive", shmget(0x1234567, 10000, IPC_CREAT | IPC_EXCL | 0600));
    printf("found %d\n", shmget(0x1234567, 100, 0) == id);
    show("missing", shmget(0x7654321, 100, 0));
    show("empty", shmget(0x7654321, 0, IPC_CREAT | 0600));
    int *at = shmat(id, NULL, 0);
    printf("attached %d, zero %d\n", at != (void *)-1, at[0] == 0 && at[2000] == 0);
    shmctl(id, IPC_STAT, &status);
    printf("size %d, attached %d, mine %d\n", (int)status.shm_segsz >= 10000, (int)status.shm_nattch,
           status.shm_cpid == getpid());
    if (fork() == 0) {
        int *mine = shmat(id, NULL, 0), *other = shmat(id, NULL, SHM_RDONLY);
        mine[0] = 42;
        mine[1] = other[0];
        shmdt(mine);
        shmdt(other);
        _exit(0);
    }
    wait(NULL);
    printf("the child wrote %d %d\n", at[0], at[1]);
    int *second = shmat(id, NULL, 0);
    second[2] = 7;
    printf("two views %d\n", at[2]);
    shmctl(id, IPC_STAT, &status);
    printf("attached %d\n", (int)status.shm_nattch);
    show("detach", shmdt(second));
    show("again", shmdt(second));
    show("unaligned", shmdt((char *)at + 1));
    show("remove", shmctl(id, IPC_RMID, NULL));
    at[3] = 9;
    printf("still there %d\n", at[3]);
    show("detach", shmdt(at));
    show("gone", (intptr_t)shmat(id, NULL, 0));
    show("stat of none", shmctl(id, IPC_STAT, &status));
    show("bad command", shmctl(id, 77, &status));
    return 0;
}
