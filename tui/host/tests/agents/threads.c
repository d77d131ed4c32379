/* Calls every function of its host from where the header allows it: in init, from four threads of
 * its own in run, and in shutdown. What came back is its answer; of shutdown it is written into the file OUT. */
#include "workbench_agent.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define THREADS 4
#ifndef OUT
#define OUT "out.txt"
#endif

static const wb_host *kept;
static char at_init[64];
static char at_run[THREADS][64];
static char answer[512];

/* What each function gives: documents, a picture, the cancel, a call that its own process answers. */
static void ask(const wb_host *host, char *to)
{
    static const wb_bytes target = WB_TEXT("threads"), line = WB_TEXT("a line"), name = WB_TEXT("asset"), encode = WB_TEXT("encode"),
                          question = WB_TEXT("{\"format\":\"png\",\"width\":1,\"height\":1,\"stride\":3}\nrgb");
    wb_bytes document = { NULL, 0 }, file = { NULL, 0 };
    wb_frame frame;
    int32_t found, picture, cancelled, called;
    memset(&frame, 0, sizeof frame);
    frame.size = sizeof frame;
    host->log(host->ctx, WB_LOG_INFO, target, line);
    host->progress(host->ctx, 0.5);
    found = host->input(host->ctx, name, &document);
    picture = host->frame(host->ctx, 0, &frame);
    host->frame_release(host->ctx, frame.handle);
    cancelled = host->is_cancelled(host->ctx);
    called = host->call(host->ctx, encode, question, &file);
    sprintf(to, "%d%d%d%d", (int)found, (int)picture, (int)cancelled, (int)called);
}

static void *in_thread(void *to)
{
    ask(kept, to);
    return NULL;
}

static int32_t init(const wb_host *host, wb_out *out)
{
    (void)out;
    kept = host;
    ask(host, at_init);
    return WB_OK;
}

static void shutdown_library(void)
{
    char text[64];
    FILE *file = fopen(OUT ".part", "w");
    if (file) {
        ask(kept, text);
        fputs(text, file);
        fclose(file);
        rename(OUT ".part", OUT);
    }
}

static int32_t run(const void *user, const wb_task *task, const wb_host *host, wb_out *out)
{
    pthread_t threads[THREADS];
    int i;
    (void)user;
    (void)task;
    (void)host;
    for (i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, in_thread, at_run[i]) != 0) {
            return WB_ERROR;
        }
    }
    sprintf(answer, "{\"route\":\"%s", at_init);
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sprintf(answer + strlen(answer), " %s", at_run[i]);
    }
    strcat(answer, "\"}");
    out->kind = WB_OUT_JSON;
    out->data = (uint8_t *)answer;
    out->len = strlen(answer);
    return WB_OK;
}

static const wb_agent agents[] = {
    { sizeof(wb_agent), 0, WB_NEED_ASSET | WB_NEED_FRAME, WB_TEXT("one"), WB_TEXT(""), run, NULL },
};

static const wb_module module = {
    WB_MAGIC, WB_ABI_MAJOR, WB_ABI_MINOR, sizeof(wb_module), WB_TEXT("threads"), WB_TEXT("1"), WB_TEXT("C"), WB_TEXT("C"),
    agents, sizeof agents / sizeof agents[0], sizeof(wb_agent), init, shutdown_library, NULL,
};

const wb_module *wb_agent_module(void) { return &module; }
