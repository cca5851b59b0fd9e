package dev.ashlar.block.engine;

import dev.ashlar.block.Block;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multihash;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Block bytes in a slot of the heap, behind a header with a checksum of its own (docs/format.md,
 * "Heap").
 *
 * @param multihash names the bytes
 * @param origin the log index of the entry that brought them, 0 where none did
 * @param payloadCrc their CRC32C
 * @param bytes where they lie: valid as long as the value that they were read from
 */
record HeapRecord(Multihash multihash, long origin, int payloadCrc, ByteBuffer bytes) {

  private static final int VERSION = 1;
  private static final int FIXED_BYTES = 1 + Long.BYTES + Integer.BYTES + Integer.BYTES;

  /** How many bytes the value of a block has. */
  static int size(Block block) {
    return headerBytes(block.cid().multihash()) + block.size();
  }

  /** Fills a reserved value. */
  static void write(byte[] key, ByteBuffer target, Block block, long origin) {
    target.put((byte) VERSION).putLong(origin).putInt(block.size()).putInt(block.crc32c());
    block.cid().multihash().writeTo(target);
    target.putInt(Checksum.of(key, target, target.position()));
    int start = target.position();
    target.put(block.bytes());
    // Checked where they lie, so that nobody can change them between the check and the copy.
    if (Block.checksum(target.duplicate().position(start)) != block.crc32c()) {
      throw new IllegalArgumentException(
          "the buffer of " + block.cid() + " was changed after the block was made from it");
    }
  }

  /** The record of a value, its header checked and its bytes not; empty where it is damaged. */
  static Optional<HeapRecord> read(byte[] key, ByteBuffer value) {
    try {
      if (value.limit() < FIXED_BYTES + Checksum.BYTES || value.get(0) != VERSION) {
        return Optional.empty();
      }
      ByteBuffer source = value.duplicate().position(FIXED_BYTES);
      Multihash multihash = Multihash.read(source);
      int headerEnd = source.position();
      if (source.remaining() < Checksum.BYTES
          || source.getInt() != Checksum.of(key, value, headerEnd)
          || source.remaining() != value.getInt(1 + Long.BYTES)) {
        return Optional.empty();
      }
      int payloadCrc = value.getInt(1 + Long.BYTES + Integer.BYTES);
      return Optional.of(new HeapRecord(multihash, value.getLong(1), payloadCrc, source.slice()));
    } catch (MalformedException e) {
      return Optional.empty();
    } catch (InternalError e) {
      // So the JVM tells of a page of a mapped file that its device did not give.
      return Optional.empty();
    }
  }

  /** Whether the bytes have their checksum. */
  boolean bytesAreSound() {
    return Block.checksum(bytes) == payloadCrc;
  }

  private static int headerBytes(Multihash multihash) {
    return FIXED_BYTES + multihash.size() + Checksum.BYTES;
  }
}
