/// <reference lib="dom" />
/** The files that were dropped, those in dropped folders too, but not in folders of those. */
export async function droppedFiles(data: DataTransfer): Promise<File[]> {
  // Asked for at once: the list is empty after the event.
  const items = Array.from(data.items, (item) => ({
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
  }));
  const files: File[] = [];
  for (const { entry, file } of items) {
    if (entry?.isDirectory) files.push(...await filesIn(entry as FileSystemDirectoryEntry));
    else if (file !== null) files.push(file);
  }
  return files;
}

async function filesIn(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const reader = folder.createReader();
  const files: File[] = [];
  while (true) {
    // Browsers give a hundred at a time.
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject)
    );
    if (entries.length === 0) return files;
    for (const entry of entries) {
      if (!entry.isFile) continue;
      files.push(
        await new Promise<File>((resolve, reject) =>
          (entry as FileSystemFileEntry).file(resolve, reject)
        ),
      );
    }
  }
}
