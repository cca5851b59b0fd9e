package dev.ashlar.block.engine;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** The CRC32C over key and value that ends every value (docs/format.md, "Checksums"). */
final class Checksum {

  static final int BYTES = 4;

  private Checksum() {}

  /** Writes the checksum of the key and of the array's bytes before it at the array's end. */
  static byte[] seal(byte[] key, byte[] value) {
    int end = value.length - BYTES;
    CRC32C crc = new CRC32C();
    crc.update(key);
    crc.update(value, 0, end);
    ByteBuffer.wrap(value).putInt(end, (int) crc.getValue());
    return value;
  }

  /** Whether the value, which the buffer holds from 0 to its limit, ends with its checksum. */
  static boolean isSound(byte[] key, ByteBuffer value) {
    int end = value.limit() - BYTES;
    return end >= 0 && value.getInt(end) == of(key, value, end);
  }

  /** The checksum of the key and of the buffer's first bytes. */
  static int of(byte[] key, ByteBuffer value, int end) {
    CRC32C crc = new CRC32C();
    crc.update(key);
    crc.update(value.slice(0, end));
    return (int) crc.getValue();
  }
}
