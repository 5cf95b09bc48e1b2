/* A stand-in for libnvidia-ml.so.1, steered by environment variables:
 *   FAKE_NVML_COUNT    GPUs
 *   FAKE_NVML_MIG      partitions of each GPU; unset: MIG is off. Partition 1 of every GPU is missing (numbers may have gaps).
 *   FAKE_NVML_UNIFIED  set: a GPU has no memory of its own
 *   FAKE_NVML_FAIL     "function:code" makes that function return that code ...
 *   FAKE_NVML_FAIL_GPU ... for that GPU only
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6 };
#define GIB (1024ULL * 1024 * 1024)
#define HANDLE(gpu, part) ((void *)(long)(1 + (gpu) * 100 + (part)))
#define GPU_OF(handle) (((int)(long)(handle) - 1) / 100)
#define PART_OF(handle) (((int)(long)(handle) - 1) % 100)
#define ANY_GPU -1

typedef struct {
    char bus_id_legacy[16];
    unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
    char bus_id[32];
} pci_info;
typedef struct { unsigned long long total, free, used; } memory_info;

static int number(const char *name, int otherwise) {
    const char *text = getenv(name);
    return text && *text ? atoi(text) : otherwise;
}

static int fault(const char *function, int gpu) {
    const char *text = getenv("FAKE_NVML_FAIL");
    size_t length = strlen(function);
    if (!text || strncmp(text, function, length) || text[length] != ':') return SUCCESS;
    int only = number("FAKE_NVML_FAIL_GPU", ANY_GPU);
    return only == ANY_GPU || only == gpu ? atoi(text + length + 1) : SUCCESS;
}

#define MAY_FAIL(gpu) do { int code = fault(__func__, gpu); if (code) return code; } while (0)

int nvmlInitWithFlags(unsigned flags) { (void)flags; MAY_FAIL(ANY_GPU); return SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int code) {
    static char text[32];
    snprintf(text, sizeof text, "made-up error %d", code);
    return text;
}
int nvmlSystemGetDriverVersion(char *version, unsigned length) {
    MAY_FAIL(ANY_GPU);
    snprintf(version, length, "%s", getenv("FAKE_NVML_DRIVER") ? getenv("FAKE_NVML_DRIVER") : "550.54.14");
    return SUCCESS;
}
int nvmlSystemGetCudaDriverVersion_v2(int *version) { MAY_FAIL(ANY_GPU); *version = 12040; return SUCCESS; }
int nvmlDeviceGetCount_v2(unsigned *count) { MAY_FAIL(ANY_GPU); *count = number("FAKE_NVML_COUNT", 0); return SUCCESS; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
    MAY_FAIL((int)index);
    *device = HANDLE(index, 0);
    return SUCCESS;
}
int nvmlDeviceGetUUID(void *device, char *uuid, unsigned length) {
    MAY_FAIL(GPU_OF(device));
    if (PART_OF(device)) snprintf(uuid, length, "MIG-%08d-part-%d", GPU_OF(device), PART_OF(device));
    else snprintf(uuid, length, "GPU-%08d", GPU_OF(device));
    return SUCCESS;
}
int nvmlDeviceGetPciInfo_v3(void *device, pci_info *info) {
    MAY_FAIL(GPU_OF(device));
    memset(info, 0, sizeof *info);
    snprintf(info->bus_id, sizeof info->bus_id, "00000000:%02X:00.0", 0xC1 + GPU_OF(device));
    return SUCCESS;
}
int nvmlDeviceGetName(void *device, char *name, unsigned length) {
    MAY_FAIL(GPU_OF(device));
    snprintf(name, length, PART_OF(device) ? "NVIDIA H100 MIG 1g.10gb" : "NVIDIA H100");
    return SUCCESS;
}
int nvmlDeviceGetMemoryInfo(void *device, memory_info *memory) {
    MAY_FAIL(GPU_OF(device));
    if (getenv("FAKE_NVML_UNIFIED")) return NOT_SUPPORTED;
    memory->total = PART_OF(device) ? 10 * GIB : 80 * GIB;
    memory->free = memory->total - (1 + GPU_OF(device)) * GIB;
    memory->used = memory->total - memory->free;
    return SUCCESS;
}
int nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor) {
    MAY_FAIL(GPU_OF(device));
    *major = 9;
    *minor = 0;
    return SUCCESS;
}
int nvmlDeviceGetMigMode(void *device, unsigned *current, unsigned *pending) {
    MAY_FAIL(GPU_OF(device));
    *current = *pending = getenv("FAKE_NVML_MIG") != NULL;
    return SUCCESS;
}
int nvmlDeviceGetMaxMigDeviceCount(void *device, unsigned *count) {
    MAY_FAIL(GPU_OF(device));
    *count = 7;
    return SUCCESS;
}
int nvmlDeviceGetMigDeviceHandleByIndex(void *device, unsigned index, void **part) {
    MAY_FAIL(GPU_OF(device));
    int existing = number("FAKE_NVML_MIG", 0);
    if (index == 1 || (int)index >= existing + (existing > 1)) return NOT_FOUND;
    *part = HANDLE(GPU_OF(device), index + 1);
    return SUCCESS;
}
