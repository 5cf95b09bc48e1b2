/* A stand-in for libamd_smi.so, steered by environment variables:
 *   FAKE_AMDSMI_COUNT     GPUs
 *   FAKE_AMDSMI_APU       set: the last GPU is part of the processor
 *   FAKE_AMDSMI_FAIL      "function:code" makes that function return that code ...
 *   FAKE_AMDSMI_FAIL_GPU  ... for that GPU only
 * The offsets of fields come from the installed amdsmi (-D), whose structs differ between versions, and so do the names of all
 * other functions, which it wants to find (stubs.h).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, VRAM = 0, GTT = 2 };
#define GIB (1024ULL * 1024 * 1024)
#define ANY_GPU -1
#define GPU_OF(handle) ((int)(long)(handle) - 1)

static int number(const char *name, int otherwise) {
    const char *text = getenv(name);
    return text && *text ? atoi(text) : otherwise;
}

static int fault(const char *function, int gpu) {
    const char *text = getenv("FAKE_AMDSMI_FAIL");
    size_t length = strlen(function);
    if (!text || strncmp(text, function, length) || text[length] != ':') return SUCCESS;
    int only = number("FAKE_AMDSMI_FAIL_GPU", ANY_GPU);
    return only == ANY_GPU || only == gpu ? atoi(text + length + 1) : SUCCESS;
}

#define MAY_FAIL(gpu) do { int code = fault(__func__, gpu); if (code) return code; } while (0)

static int is_apu(int gpu) { return getenv("FAKE_AMDSMI_APU") && gpu == number("FAKE_AMDSMI_COUNT", 0) - 1; }

#include "stubs.h"

int amdsmi_init(uint64_t flags) { (void)flags; MAY_FAIL(ANY_GPU); return SUCCESS; }
int amdsmi_shut_down(void) { MAY_FAIL(ANY_GPU); return SUCCESS; }
int amdsmi_get_socket_handles(uint32_t *count, void **sockets) {
    MAY_FAIL(ANY_GPU);
    *count = 1;
    if (sockets) sockets[0] = (void *)1;
    return SUCCESS;
}
int amdsmi_get_processor_handles(void *socket, uint32_t *count, void **gpus) {
    (void)socket;
    MAY_FAIL(ANY_GPU);
    *count = number("FAKE_AMDSMI_COUNT", 0);
    for (uint32_t gpu = 0; gpus && gpu < *count; gpu++) gpus[gpu] = (void *)(long)(gpu + 1);
    return SUCCESS;
}
int amdsmi_get_gpu_device_bdf(void *gpu, uint64_t *bdf) {
    MAY_FAIL(GPU_OF(gpu));
    *bdf = (uint64_t)(0x03 + GPU_OF(gpu)) << 8;
    return SUCCESS;
}
int amdsmi_get_gpu_asic_info(void *gpu, char *info) {
    MAY_FAIL(GPU_OF(gpu));
    uint64_t target = is_apu(GPU_OF(gpu)) ? 0x1103 : 0x1100;
    strcpy(info + OFFSET_market_name, is_apu(GPU_OF(gpu)) ? "AMD Radeon 780M" : "AMD Radeon RX 7900 XTX");
    if (is_apu(GPU_OF(gpu))) strcpy(info + OFFSET_asic_serial, "0x0");
    else sprintf(info + OFFSET_asic_serial, "0xABCD%012X", GPU_OF(gpu));
    memcpy(info + OFFSET_target_graphics_version, &target, sizeof target);
    return SUCCESS;
}
int amdsmi_get_gpu_driver_info(void *gpu, char *info) {
    MAY_FAIL(GPU_OF(gpu));
    strcpy(info + OFFSET_driver_version, "6.8.5");
    return SUCCESS;
}
int amdsmi_get_gpu_memory_total(void *gpu, uint32_t kind, uint64_t *bytes) {
    MAY_FAIL(GPU_OF(gpu));
    *bytes = kind == GTT ? 16 * GIB : is_apu(GPU_OF(gpu)) ? GIB / 2 : 24 * GIB;
    return SUCCESS;
}
int amdsmi_get_gpu_memory_usage(void *gpu, uint32_t kind, uint64_t *bytes) {
    MAY_FAIL(GPU_OF(gpu));
    *bytes = kind == GTT ? GIB : is_apu(GPU_OF(gpu)) ? GIB / 4 : GIB;
    return SUCCESS;
}
