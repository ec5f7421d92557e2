"""What benchmarks/deep_tables trains: data sets, rows and tables. Nothing was tuned on the query rows.

A row: `name`; `train`: arguments of `medretrieval train` (left out: classical features); `index`: arguments of
`medretrieval index create` beside data and network (left out: nothing is retrieved); `classify`: method of
`medretrieval classify` for the columns on classes; `beside`: rows whose mAP is subtracted from its own seed by seed, by the words
that name them in the table's head. A table: `data`, `rows`, `seeds`, `columns`, and `against`, the row whose mAP is
subtracted from all others."""

BITS = 64
EPOCHS = 10
# The papers' 25 to 50 epochs are cut to ten. Batch and rate are the same for all, and the optimizer is Adam (AdamW for
# paper 003, as it says): paper 004's SGD is planned for 50 epochs. Weight decay and loss stay those of the presets.
PLAN = ["--bits", BITS, "--epochs", EPOCHS, "--batch", 32]
ADAM = [*PLAN, "--optimizer", "adam", "--learning-rate", 0.001]

DATA = {
    "nodules": {"phantom": ["--kind", "chest-ct", "--patients", 500, "--images-per-patient", 2, "--side", 64]},
    "radiographs": {"phantom": ["--kind", "chest-xray", "--patients", 500, "--images-per-patient", 2, "--side", 64]},
    "ct_luna16_patches": {"folder": "ct_luna16_patches", "manifest": "manifest.csv"},
    "cxr_nih14_64": {"folder": "cxr_nih14", "manifest": "manifest_64.csv"},
    "cxr_nih14_256": {"folder": "cxr_nih14", "manifest": "manifest_256.csv"},
}


def resnet(*more, head="beside"):
    return ["--model", "resnet18", "--option", f"head={head}", *ADAM, *more]


def row(name, train=None, index=(), classify=None):
    made = {"name": name}
    if train is not None:
        made["train"] = train
    if index is not None:
        made["index"] = list(index)
    if classify:
        made["classify"] = classify
    return made


def hashed(encoder):
    """SEED is replaced by the cell's seed."""
    return ["--encoder", encoder, "--bits", BITS, "--option", "seed=SEED"]


def with_unsupervised_codes(network):
    """A network's own code, and ITQ and LSH on its features."""
    name, train = network["name"], network["train"]
    codes = {f"{encoder.upper()} of its features": row(f"{encoder.upper()} of its features: {name}", train, hashed(encoder))
             for encoder in ("itq", "lsh")}
    return [{**network, "beside": {head: code["name"] for head, code in codes.items()}}, *codes.values()]


CLASSIFIER = resnet("--loss", "none")

# The four networks of the papers, each with its own loss. The joint code of paper 003 has as many bits in all.
NETWORK_001 = row("attention-cnn-bilstm (001)", ["--model", "attention-cnn-bilstm", *PLAN])
NETWORK_002 = row("semantic-attention (002)", ["--model", "semantic-attention", *PLAN])
NETWORK_003 = row("fcdn (003), 3 x 21 bits", ["--model", "fcdn", "--bits", BITS // 3, *PLAN[2:]])
NETWORK_004 = row("spatial-attention-resnet18 (004)", ["--model", "spatial-attention-resnet18", *ADAM])
PAPERS = [NETWORK_001, NETWORK_002, NETWORK_003, NETWORK_004]
# Where images have several findings, each is a question of its own.
NETWORK_002_FINDINGS = row(NETWORK_002["name"], [*NETWORK_002["train"], "--option", "posterior=sigmoid"])


# What hashes a plain classifier on the shared backbone.
WITHOUT_HASHING_LOSS = [
    row("LSH of the classifier's outputs", resnet("--loss", "none", head="outputs"), hashed("lsh")),
    row("ITQ of the features", CLASSIFIER, hashed("itq")),
    row("LSH of the features", CLASSIFIER, hashed("lsh")),
    row("exact on the features", CLASSIFIER, ["--no-encoder"]),
]
CLASSICAL = [
    row("ITQ of classical features", None, hashed("itq")),
    row("exact on classical features", None, ["--no-encoder"]),
]
# Baselines of the papers: their losses alone on the shared backbone. ATH adds three times the cross-entropy to its
# triplets, DLBHC is the classifier on the hash layer. The others learn without a classifier, so they have no gate, and
# no cascade is shown.
LOSSES = ["contrastive", "dsh", "triplet-dnnh", "hashnet", "bayesian", "dpsh", "idhn", "cnnh", "dh", "csq"]


def baselines():
    rows = [row("dlbhc, cross-entropy alone", resnet("--loss", "none", head="latent")),
            row("triplet-ath, 3 x cross-entropy", resnet("--loss", "triplet-ath", "--classification", 3))]
    return rows + [row(loss, resnet("--loss", loss, "--classification", 0)) for loss in LOSSES]


def variant_001(name, *options, plan=()):
    given = [part for option in options for part in ("--option", option)]
    return row(name, ["--model", "attention-cnn-bilstm", *given, *PLAN, *plan], classify="network")


def variant_004(name, *options):
    given = [part for option in options for part in ("--option", option)]
    return row(name, ["--model", "spatial-attention-resnet18", *given, *ADAM])


def variant_003(name, layers, bits):
    plan = ["--bits", bits, *PLAN[2:]]
    return row(name, ["--model", "fcdn", "--option", f"layers={layers}", *plan])


def on_real_images(side, semantic, *more):
    network = ["--side", side]
    return [
        *more,
        row(semantic["name"], [*semantic["train"], *network]),
        row(NETWORK_004["name"], [*NETWORK_004["train"], *network]),
        row("csq and cross-entropy on resnet18", resnet("--loss", "csq", *network)),
        row("ITQ of resnet18's features", resnet("--loss", "none", *network), hashed("itq")),
        *CLASSICAL,
    ]


def with_classifier(network):
    return {**network, "classify": "network"}


RETRIEVAL = ["P@10 alone", "mAP", "P@10 cascade"]

TABLES = {
    "methods": {
        "title": "SYNTHETIC nodules, benign or malignant: the papers' networks and what they must beat",
        "data": "nodules", "seeds": 5, "columns": ["accuracy", *RETRIEVAL], "against": "LSH of the classifier's outputs",
        "rows": [part for network in PAPERS for part in with_unsupervised_codes(with_classifier(network))]
        + [with_classifier(WITHOUT_HASHING_LOSS[0]), *WITHOUT_HASHING_LOSS[1:]] + CLASSICAL,
    },
    "methods-radiographs": {
        "title": "SYNTHETIC radiographs, several findings an image: the networks of the X-ray papers",
        "data": "radiographs", "seeds": 5, "columns": ["area under the curve", *RETRIEVAL],
        "against": "LSH of the classifier's outputs",
        "rows": [part for network in (NETWORK_002_FINDINGS, NETWORK_004)
                 for part in with_unsupervised_codes(with_classifier(network))]
        + [with_classifier(WITHOUT_HASHING_LOSS[0]), *WITHOUT_HASHING_LOSS[1:]] + CLASSICAL,
    },
    "losses": {
        "title": "SYNTHETIC nodules: hashing losses on one backbone, without cross-entropy unless named",
        "data": "nodules", "seeds": 3, "columns": RETRIEVAL[:2], "against": "LSH of the classifier's outputs",
        "rows": WITHOUT_HASHING_LOSS[:1] + baselines(),
    },
    "variants-001": {
        "title": "SYNTHETIC nodules: the rows of paper 001's Table 2, accuracy of the class and retrieval",
        "data": "nodules", "seeds": 3, "columns": ["accuracy", *RETRIEVAL], "against": "our method",
        "rows": [
            variant_001("our method"),
            variant_001("CNN+AM", "form=cnn"),
            variant_001("BiLSTM+AM", "form=bilstm"),
            variant_001("CNN", "form=cnn", "attention=false"),
            variant_001("BiLSTM", "form=bilstm", "attention=false"),
            variant_001("CNN+BiLSTM", "form=cnn-bilstm", "attention=false"),
            variant_001("BiLSTM+CNN", "form=bilstm-cnn", "attention=false"),
            variant_001("BiLSTM_CNN", "attention=false"),
            # What a network's code is worth before it has learned anything; no class, so no gate.
            row("our method, as drawn", ["--model", "attention-cnn-bilstm", "--bits", BITS, "--epochs", 0]),
            # The paper's L2 of 0.01 keeps the forms in series from learning here; so these two beside them.
            variant_001("CNN+BiLSTM, L2 0.0001", "form=cnn-bilstm", "attention=false", plan=("--weight-decay", 1e-4)),
            variant_001("BiLSTM+CNN, L2 0.0001", "form=bilstm-cnn", "attention=false", plan=("--weight-decay", 1e-4)),
            row("SVM on classical features", None, None, "svm"),
            row("ELM on classical features", None, None, "elm"),
        ],
    },
    "layers-003": {
        "title": "SYNTHETIC nodules: the joint distance over three layers against each alone, 96 bits in all",
        "data": "nodules", "seeds": 5, "columns": RETRIEVAL, "against": "joint, 3 x 32 bits",
        "rows": [
            variant_003("joint, 3 x 32 bits", "joint", 32),
            variant_003("shallow (4), 96 bits", "shallow", 96),
            variant_003("middle (17), 96 bits", "middle", 96),
            variant_003("deep (25), 96 bits", "deep", 96),
        ],
    },
    "attention-004": {
        "title": "SYNTHETIC radiographs: the rows of paper 004's Tables 4 and 5",
        "data": "radiographs", "seeds": 3, "columns": RETRIEVAL, "against": "fused, all descriptors",
        "rows": [
            variant_004("fused, all descriptors"),
            variant_004("without max and mean", "descriptors=pool"),
            variant_004("without max-pooling", "descriptors=max+mean"),
            variant_004("local", "branch=local"),
            variant_004("global", "branch=global"),
        ],
    },
    "ct_luna16_patches": {
        "title": "Candidates of LUNA16, nodule or not",
        "data": "ct_luna16_patches", "seeds": 1, "columns": RETRIEVAL, "rows": on_real_images(64, NETWORK_002, NETWORK_001, NETWORK_003),
    },
    "cxr_nih14_64": {
        "title": "ChestX-ray14 excerpt, 64 x 64, several findings an image",
        "data": "cxr_nih14_64", "seeds": 1, "columns": RETRIEVAL, "rows": on_real_images(64, NETWORK_002_FINDINGS),
    },
    "cxr_nih14_256": {
        "title": "ChestX-ray14 excerpt, 256 x 256, No Finding or Pneumonia among others",
        "data": "cxr_nih14_256", "seeds": 1, "columns": RETRIEVAL, "rows": on_real_images(256, NETWORK_002_FINDINGS),
    },
}
