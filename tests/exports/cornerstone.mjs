// Reads a DICOM segmentation as OHIF does, by @cornerstonejs/adapters, without a browser.
//
//   node cornerstone.mjs MODULES SEG SOURCE...
//
// MODULES is a folder in which `npm install @cornerstonejs/adapters dcmjs @babel/runtime` was
// run. Prints JSON: whether segments overlap, and for each segment its voxels and the mean of
// their places (row, column) and of Image Position (Patient) of the images they lie on.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, segmentation, ...sources] = process.argv.slice(2);
const require = createRequire(join(modules, "package.json"));
// Both libraries are for pages: they look for these when they are loaded.
globalThis.window ??= globalThis;
globalThis.self ??= globalThis;
console.log = console.info = console.debug = console.warn = () => {};
const load = (name) => import(pathToFileURL(resolved(name)).href);

function resolved(name) {
  const folder = join(modules, "node_modules", name);
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return join(folder, about.module ?? about.main);
}

const { metaData } = await load("@cornerstonejs/core");
const { adaptersSEG } = await load("@cornerstonejs/adapters");
const dcmjs = require("dcmjs");

const bytes = (path) => {
  const all = readFileSync(path);
  return all.buffer.slice(all.byteOffset, all.byteOffset + all.byteLength);
};
const headers = new Map();
for (const path of sources) {
  const read = dcmjs.data.DicomMessage.readFile(bytes(path), { untilTag: "7FE00010" });
  headers.set(`file:${path}`, dcmjs.data.DicomMetaDictionary.naturalizeDataset(read.dict));
}
const numbers = (values) => Array.from(values, Number);
const extra = new Map();
const provider = {
  get(type, imageId) {
    const added = extra.get(`${type}|${imageId}`);
    if (added) return added;
    const header = headers.get(imageId);
    if (!header) return undefined;
    const orientation = numbers(header.ImageOrientationPatient);
    switch (type) {
      case "instance":
        return header;
      case "generalImageModule":
      case "sopCommonModule":
        return { sopInstanceUID: header.SOPInstanceUID, sopClassUID: header.SOPClassUID };
      case "generalSeriesModule":
        return { modality: header.Modality, seriesInstanceUID: header.SeriesInstanceUID };
      case "imagePlaneModule":
        return {
          frameOfReferenceUID: header.FrameOfReferenceUID,
          rows: header.Rows,
          columns: header.Columns,
          imageOrientationPatient: orientation,
          rowCosines: orientation.slice(0, 3),
          columnCosines: orientation.slice(3),
          imagePositionPatient: numbers(header.ImagePositionPatient),
          pixelSpacing: numbers(header.PixelSpacing),
          rowPixelSpacing: Number(header.PixelSpacing[0]),
          columnPixelSpacing: Number(header.PixelSpacing[1]),
          sliceThickness: Number(header.SliceThickness),
          sliceLocation: 0,
        };
      case "imagePixelModule":
        return {
          samplesPerPixel: 1,
          photometricInterpretation: "MONOCHROME2",
          rows: header.Rows,
          columns: header.Columns,
          bitsAllocated: 16,
          bitsStored: 16,
          highBit: 15,
          pixelRepresentation: 0,
        };
      default:
        return undefined;
    }
  },
  addInstance(imageId, value) {
    extra.set(`instance|${imageId}`, value);
  },
};
metaData.addProvider((type, imageId) => provider.get(type, imageId), 10000);

const imageIds = [...headers.keys()];
const found = await adaptersSEG.Cornerstone3D.Segmentation.createFromDICOMSegBuffer(
  imageIds,
  bytes(segmentation),
  { metadataProvider: provider, tolerance: 1e-3 },
);

const segments = {};
for (const group of found.labelMapImages) {
  for (const image of Array.isArray(group) ? group : [group]) {
    const header = headers.get(image.referencedImageId);
    const at = numbers(header.ImagePositionPatient);
    const pixels = image.voxelManager?.getScalarData?.() ?? image.getPixelData();
    for (let n = 0; n < pixels.length; n += 1) {
      if (pixels[n] === 0) continue;
      const one = (segments[pixels[n]] ??= { voxels: 0, row: 0, column: 0, position: [0, 0, 0] });
      one.voxels += 1;
      one.row += Math.floor(n / header.Columns);
      one.column += n % header.Columns;
      at.forEach((v, axis) => (one.position[axis] += v));
    }
  }
}
for (const one of Object.values(segments)) {
  one.row /= one.voxels;
  one.column /= one.voxels;
  one.position = one.position.map((v) => v / one.voxels);
}
const overlap = Boolean(found.overlappingSegments ?? found.hasOverlappingSegments);
process.stdout.write(JSON.stringify({ overlap, keys: Object.keys(found), segments }) + "\n");
