// Small whole tables of the published data sets, SYNTHETIC: the companions of a damaged one, and the seeds.
#pragma once

#include <string_view>

namespace medretrieval::fuzz {

inline constexpr std::string_view kChestEntries2017 =
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
    "00000001_000.png,Cardiomegaly|Mass,0,1,058Y,M,PA,2682,2749,0.143,0.143,\n"
    "00000002_001.png,No Finding,1,2,414Y,F,AP,2500,2048,0.168,0.168,\n";
inline constexpr std::string_view kChestEntries2020 =
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]\r\n"
    "00000001_000.png,Hernia,0,1,58,M,PA,2682,2749,0.143,0.143\r\n";
inline constexpr std::string_view kChestBoxes =
    "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000001_000.png,Mass,1.5,2,30,40\n"
    "00000001_000.png,Infiltrate,100,200,30.25,40\n";
inline constexpr std::string_view kChestList = "00000001_000.png\n00000002_001.png \n";

inline constexpr std::string_view kChexpert =
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,"
    "Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,"
    "Fracture,Support Devices\n"
    "CheXpert-v1.0/train/patient00001/study2/view1_frontal.jpg,Female,45,Frontal,PA,,,1.0,,,-1.0,0.0,,,,,,,\n"
    "CheXpert-v1.0/train/patient00001/study2/view2_lateral.jpg,Male,45,Lateral,,1.0,,,,,,0.0,,,,,,,1.0\n";

inline constexpr std::string_view kDeepLesion =
    "File_name,Patient_index,Study_index,Series_ID,Key_slice_index,Measurement_coordinates,Bounding_boxes,"
    "Lesion_diameters_Pixel_,Normalized_lesion_location,Coarse_lesion_type,Possibly_noisy,Slice_range,"
    "Spacing_mm_px_,Image_size,DICOM_windows,Patient_gender,Patient_age,Train_Val_Test\n"
    "000001_02_03_017.png,1,2,3,17,\"1, 2, 3, 4\",\"1.5, 2, 3.25, 3.5\",\"12, 5\",\"0.4, 0.3, 0.2\",5,0,"
    "\"8, 23\",\"0.5, 0.5, 5\",\"8, 8\",\"-175, 275\",F,62,2\n";

inline constexpr std::string_view kLunaNodules =
    "seriesuid,coordX,coordY,coordZ,diameter_mm\n1.2,-8,-18,104,6.5\n1.2,-7.5,-17.25,102,3\n";
inline constexpr std::string_view kLunaCandidates =
    "seriesuid,coordX,coordY,coordZ,class\n1.2,-8,-18,104,1\n1.2,-9,-19,100,0\n";
inline constexpr std::string_view kLunaPatients =
    "Patient Id,Series UID\nLIDC-IDRI-0001,1.2\nLIDC-IDRI-0002,1.3\n";
inline constexpr std::string_view kLunaScan =
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
    "CompressedData = False\nTransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = -10 -20 100\n"
    "CenterOfRotation = 0 0 0\nAnatomicalOrientation = RAI\nElementSpacing = 0.5 0.5 2\n"
    "DimSize = 8 8 5\nElementType = MET_UCHAR\nElementDataFile = 1.2.raw\n";

inline constexpr std::string_view kManifest =
    "path,patient_id,labels,split,study,series,modality,date,age\n"
    "images/a.png,p1,Mass|Edema,train,s1,r1,CT,2001-02-03,45\n"
    "\"images/b, c.png\",p2,\"No \"\"Finding\"\"\",query,s2,r2,MR,,\n"
    "images/d.png,p3,,database,s3,r3,DX,2011-12-31,7\n";

}  // namespace medretrieval::fuzz
