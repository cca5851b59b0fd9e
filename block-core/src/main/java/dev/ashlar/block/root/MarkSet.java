package dev.ashlar.block.root;

import dev.ashlar.block.Cid;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.Multihash;
import java.nio.ByteBuffer;

/**
 * Which blocks are marked, and under which codecs their links have been followed: sixteen bytes a
 * block. Two multihashes that agree in the 124 bits that are kept would have to be sought.
 */
final class MarkSet {

  private static final int SLOTS_MIN = 64;
  private static final long CODECS = 0xf;
  private static final long FUNCTION_SPREAD = 0xbf58476d1ce4e5b9L;

  private long[] keys = new long[2 * SLOTS_MIN];
  private long size;

  /**
   * Marks a block.
   *
   * @return whether it was not marked under this codec; all that have no links count as one
   */
  boolean add(Cid cid) {
    if (8 * size >= 3L * keys.length) {
      grow();
    }
    Multihash multihash = cid.multihash();
    int at = find(keys, high(multihash), low(multihash));
    long codec = bit(cid.codec());
    if ((keys[at] | keys[at + 1]) == 0) {
      keys[at] = high(multihash);
      keys[at + 1] = low(multihash) | codec;
      size++;
      return true;
    }
    boolean isNew = (keys[at + 1] & codec) == 0;
    keys[at + 1] |= codec;
    return isNew;
  }

  boolean contains(Multihash multihash) {
    int at = find(keys, high(multihash), low(multihash));
    return (keys[at] | keys[at + 1]) != 0;
  }

  /** How many blocks are marked. */
  long size() {
    return size;
  }

  /** What it takes, and may take for a while as it grows. */
  long bytes() {
    return 3L * keys.length * Long.BYTES;
  }

  private void grow() {
    long[] larger = new long[2 * keys.length];
    for (int i = 0; i < keys.length; i += 2) {
      if ((keys[i] | keys[i + 1]) != 0) {
        int at = find(larger, keys[i], keys[i + 1] & ~CODECS);
        larger[at] = keys[i];
        larger[at + 1] = keys[i + 1];
      }
    }
    keys = larger;
  }

  private static int find(long[] in, long high, long low) {
    int mask = in.length - 1;
    int at = ((int) (((high ^ low) * 0x9e3779b97f4a7c15L) >>> 32) << 1) & mask;
    while ((in[at] | in[at + 1]) != 0 && (in[at] != high || (in[at + 1] & ~CODECS) != low)) {
      at = (at + 2) & mask;
    }
    return at;
  }

  private static long bit(long codec) {
    if (codec == Multicodec.DAG_PB) {
      return 1;
    }
    if (codec == Multicodec.DAG_CBOR) {
      return 2;
    }
    return codec == Multicodec.DAG_JSON ? 4 : 8;
  }

  /** The function is part of it: what one makes of some bytes, another may make of others. */
  private static long high(Multihash multihash) {
    return tail(multihash.digest()).getLong(0) ^ multihash.code() * FUNCTION_SPREAD;
  }

  private static long low(Multihash multihash) {
    return tail(multihash.digest()).getLong(Long.BYTES) & ~CODECS;
  }

  private static ByteBuffer tail(byte[] digest) {
    ByteBuffer tail = ByteBuffer.allocate(2 * Long.BYTES);
    int taken = Math.min(digest.length, tail.capacity());
    return tail.put(tail.capacity() - taken, digest, digest.length - taken, taken);
  }
}
