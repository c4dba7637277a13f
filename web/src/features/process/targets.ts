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

type PickFolder = (options: { mode: 'readwrite' }) => Promise<{
  getFileHandle: (
    name: string,
    options: { create: true },
  ) => Promise<{ createWritable: () => Promise<Writable> }>;
}>;

/**
 * A folder that the person chooses, in which each trace becomes a file when its turn comes, where the browser can; else
 * each is downloaded. `null` when the person chose none. To be called while a click is handled.
 */
export async function folderTargets(): Promise<((fileName: string) => Target) | null> {
  const pick = (window as { showDirectoryPicker?: PickFolder }).showDirectoryPicker;
  if (pick === undefined) return (fileName) => memoryTarget((blob) => download(blob, fileName));
  try {
    const folder = await pick({ mode: 'readwrite' });
    return (fileName) => {
      let file: Promise<Writable> | undefined;
      const open = () => {
        file ??= folder.getFileHandle(fileName, { create: true }).then((handle) => handle.createWritable());
        return file;
      };
      return {
        write: async (bytes) => (await open()).write(bytes),
        close: async () => (await open()).close(),
        // What was never begun leaves no file.
        abort: async () => await (await file)?.abort(),
      };
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
