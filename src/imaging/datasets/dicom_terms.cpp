#include "imaging/datasets/dicom_terms.hpp"

#include <algorithm>

namespace medretrieval::imaging::datasets {

namespace {

constexpr std::string_view kModalities[] = {
    "ANN", "AR", "ASMT", "AU", "BDUS", "BI", "BMD", "CFM", "CR", "CT", "CTPROTOCOL", "DG", "DMS", "DOC", "DX",
    "ECG", "EEG", "EMG", "EOG", "EPS", "ES", "FID", "GM", "HC", "HD", "IO", "IOL", "IVOCT", "IVUS", "KER",
    "KO", "LEN", "LS", "M3D", "MG", "MR", "NM", "OAM", "OCT", "OP", "OPM", "OPT", "OPTBSV", "OPTENF", "OPV",
    "OSS", "OT", "PA", "PLAN", "POS", "PR", "PT", "PX", "REG", "RESP", "RF", "RG", "RTDOSE", "RTIMAGE",
    "RTINTENT", "RTPLAN", "RTRAD", "RTRECORD", "RTSEGANN", "RTSTRUCT", "RWV", "SEG", "SM", "SMR", "SR", "SRF",
    "STAIN", "TEXTUREMAP", "TG", "US", "VA", "XA", "XAPROTOCOL", "XC",
    // retired
    "AS", "CD", "CF", "CP", "CS", "DD", "DF", "DM", "DS", "EC", "FA", "FS", "LP", "MA", "MS", "OPR", "ST",
    "VF"};

constexpr std::string_view kBodyParts[] = {"ABDOMEN",
                                           "ABDOMENPELVIS",
                                           "ADRENAL",
                                           "ANKLE",
                                           "AORTA",
                                           "ARM",
                                           "AXILLA",
                                           "BACK",
                                           "BLADDER",
                                           "BRAIN",
                                           "BREAST",
                                           "BRONCHUS",
                                           "BUTTOCK",
                                           "CALCANEUS",
                                           "CALF",
                                           "CAROTID",
                                           "CEREBELLUM",
                                           "CERVIX",
                                           "CHEEK",
                                           "CHEST",
                                           "CHESTABDOMEN",
                                           "CHESTABDPELVIS",
                                           "CIRCLEOFWILLIS",
                                           "CLAVICLE",
                                           "COCCYX",
                                           "COLON",
                                           "CORNEA",
                                           "CORONARYARTERY",
                                           "CSPINE",
                                           "CTSPINE",
                                           "DUODENUM",
                                           "EAR",
                                           "ELBOW",
                                           "ESOPHAGUS",
                                           "EXTREMITY",
                                           "EYE",
                                           "EYELID",
                                           "FACE",
                                           "FEMUR",
                                           "FINGER",
                                           "FOOT",
                                           "GALLBLADDER",
                                           "HAND",
                                           "HEAD",
                                           "HEADNECK",
                                           "HEART",
                                           "HIP",
                                           "HUMERUS",
                                           "IAC",
                                           "ILEUM",
                                           "ILIUM",
                                           "JAW",
                                           "JEJUNUM",
                                           "KIDNEY",
                                           "KNEE",
                                           "LARYNX",
                                           "LEG",
                                           "LIVER",
                                           "LSPINE",
                                           "LSSPINE",
                                           "LUNG",
                                           "MANDIBLE",
                                           "MAXILLA",
                                           "MEDIASTINUM",
                                           "MOUTH",
                                           "NECK",
                                           "NECKCHEST",
                                           "NECKCHESTABDOMEN",
                                           "NECKCHESTABDPELV",
                                           "NOSE",
                                           "ORBIT",
                                           "OVARY",
                                           "PANCREAS",
                                           "PAROTID",
                                           "PATELLA",
                                           "PELVIS",
                                           "PENIS",
                                           "PHARYNX",
                                           "PROSTATE",
                                           "RADIUS",
                                           "RADIUSULNA",
                                           "RECTUM",
                                           "RIB",
                                           "SCALP",
                                           "SCAPULA",
                                           "SCLERA",
                                           "SCROTUM",
                                           "SHOULDER",
                                           "SINUS",
                                           "SKULL",
                                           "SPINE",
                                           "SPLEEN",
                                           "SSPINE",
                                           "STERNUM",
                                           "STOMACH",
                                           "SUBMANDIBULAR",
                                           "TESTIS",
                                           "THIGH",
                                           "THORAX",
                                           "THUMB",
                                           "THYMUS",
                                           "THYROID",
                                           "TIBIAFIBULA",
                                           "TLSPINE",
                                           "TMJ",
                                           "TOE",
                                           "TONGUE",
                                           "TRACHEA",
                                           "TSPINE",
                                           "ULNA",
                                           "UMBILICUS",
                                           "URETER",
                                           "URETHRA",
                                           "UTERUS",
                                           "VAGINA",
                                           "VULVA",
                                           "WHOLE BODY",
                                           "WHOLEBODY",
                                           "WRIST",
                                           "ZYGOMA"};

constexpr std::string_view kLateralities[] = {"R", "L", "U", "B"};

constexpr std::string_view kViewPositions[] = {"AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO", "RAO",
                                               "LAO", "RPO", "LPO", "LAT", "LATERAL", "OBLIQUE", "AXIAL",
                                               // mammography
                                               "CC", "MLO", "ML", "LM", "LMO", "FB", "SIO", "ISO", "XCC",
                                               "XCCL", "XCCM"};

template <std::size_t kCount>
bool is_one_of(const std::string_view (&terms)[kCount], std::string_view text) noexcept {
  return std::find(std::begin(terms), std::end(terms), text) != std::end(terms);
}

}  // namespace

bool is_modality(std::string_view text) noexcept {
  return is_one_of(kModalities, text);
}

bool is_body_part(std::string_view text) noexcept {
  return is_one_of(kBodyParts, text);
}

bool is_laterality(std::string_view text) noexcept {
  return is_one_of(kLateralities, text);
}

bool is_view_position(std::string_view text) noexcept {
  return is_one_of(kViewPositions, text);
}

}  // namespace medretrieval::imaging::datasets
