import type { Target } from './jobs';

interface Writable {
  write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  close: () => Promise<void>;
  abort: () => Promise<void>;
}

type PickFile = (options: { suggestedName: string }) => Promise<{ createWritable: () => Promise<Writable> }>;

/**
 * A file that the person chooses, written as the bytes come, where the browser can; else the bytes are kept and
 * downloaded at the end. `null` when the person chose none. To be called while a click is handled.
 */
export async function fileTarget(fileName: string): Promise<Target | null> {
  const pick = (window as { showSaveFilePicker?: PickFile }).showSaveFilePicker;
  if (pick === undefined) return memoryTarget((blob) => download(blob, fileName));
  try {
    const file = await (await pick({ suggestedName: fileName })).createWritable();
    return {
      write: (bytes) => file.write(bytes),
      close: () => file.close(),
      abort: () => file.abort(),
    };
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}

/** Keeps the bytes, and gives them all together. */
export function memoryTarget(give: (blob: Blob) => void, abort: () => void = () => {}): Target {
  const pieces: Blob[] = [];
  return {
    // Blobs need not be in memory: that is for the browser to decide.
    write: (bytes) => void pieces.push(new Blob([bytes])),
    close: () => give(new Blob(pieces, { type: 'application/octet-stream' })),
    abort,
  };
}

function download(blob: Blob, fileName: string) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  // The download has begun when this runs.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
