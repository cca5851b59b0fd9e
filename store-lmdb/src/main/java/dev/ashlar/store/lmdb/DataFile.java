package dev.ashlar.store.lmdb;

import dev.ashlar.block.StoreDamagedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Looks at LMDB's file before it is mapped. A file that is shorter than its meta pages claim would
 * end the process when a missing page is touched.
 */
final class DataFile {

  /** What LMDB calls it. */
  static final String NAME = "data.mdb";

  private static final int PAGE_HEADER_BYTES = 16;
  private static final int MAGIC = 0xBEEFC0DE;
  private static final int DATABASE_BYTES = 48;
  private static final int PAGE_SIZE_AT = PAGE_HEADER_BYTES + 24;
  private static final int LAST_PAGE_AT = PAGE_HEADER_BYTES + 24 + 2 * DATABASE_BYTES;
  private static final int TRANSACTION_AT = LAST_PAGE_AT + 8;
  private static final int META_BYTES = LAST_PAGE_AT + 16;

  /** More than one transaction gives back of what it took. */
  private static final long UNWRITTEN_BYTES_MAX = 16 << 20;

  private DataFile() {}

  /**
   * Checks the file in a directory, if there is one, and lets it reach what its last commit claims:
   * LMDB does not write pages at the end of the file that it took and gave back in one transaction.
   *
   * @throws StoreDamagedException when it is not LMDB's or is cut off
   */
  static void check(Path directory) throws IOException {
    Path file = directory.resolve(NAME);
    if (!Files.exists(file) || Files.size(file) == 0) {
      return;
    }
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer first = readMeta(channel, 0, file);
      int pageBytes = first.getInt(PAGE_SIZE_AT);
      if (pageBytes < 512 || pageBytes > 1 << 16 || Integer.bitCount(pageBytes) != 1) {
        throw new StoreDamagedException(
            file + " has no proper page size: restore it from a backup");
      }
      ByteBuffer second = readMeta(channel, pageBytes, file);
      boolean firstIsNewer = first.getLong(TRANSACTION_AT) > second.getLong(TRANSACTION_AT);
      long claimed = ((firstIsNewer ? first : second).getLong(LAST_PAGE_AT) + 1) * pageBytes;
      if (channel.size() + UNWRITTEN_BYTES_MAX < claimed) {
        throw new StoreDamagedException(
            file
                + " is cut off: it has "
                + channel.size()
                + " bytes and its last commit claims "
                + claimed
                + "; restore it from a backup");
      }
      if (channel.size() < claimed) {
        channel.write(ByteBuffer.allocate(1), claimed - 1);
      }
    }
  }

  private static ByteBuffer readMeta(FileChannel channel, long at, Path file) throws IOException {
    ByteBuffer meta = ByteBuffer.allocate(META_BYTES).order(ByteOrder.nativeOrder());
    while (meta.hasRemaining()) {
      if (channel.read(meta, at + meta.position()) < 0) {
        throw new StoreDamagedException(
            file + " is cut off in its meta pages: restore it from a backup");
      }
    }
    if (meta.getInt(PAGE_HEADER_BYTES) != MAGIC) {
      throw new StoreDamagedException(file + " is not LMDB's, or its meta page is damaged");
    }
    return meta;
  }
}
