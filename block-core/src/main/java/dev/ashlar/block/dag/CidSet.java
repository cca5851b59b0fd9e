package dev.ashlar.block.dag;

import dev.ashlar.block.Cid;
import java.nio.ByteBuffer;

/**
 * CIDs that were seen, by sixteen bytes of each: two that agree in those would have to be sought,
 * with the work of breaking a hash of half that length.
 */
final class CidSet {

  private static final int KEY_BYTES = 2 * Long.BYTES;
  private static final long FUNCTION_SPREAD = 0xbf58476d1ce4e5b9L;

  private long[] keys = new long[2 * 64];
  private int size;

  /**
   * Adds one.
   *
   * @return whether it was not there
   */
  boolean add(Cid cid) {
    if (4 * size >= keys.length) {
      grow();
    }
    boolean isNew = insert(keys, high(cid), low(cid));
    size += isNew ? 1 : 0;
    return isNew;
  }

  /** What it takes. */
  long bytes() {
    return (long) keys.length * Long.BYTES;
  }

  private void grow() {
    long[] larger = new long[2 * keys.length];
    for (int i = 0; i < keys.length; i += 2) {
      if ((keys[i] | keys[i + 1]) != 0) {
        insert(larger, keys[i], keys[i + 1]);
      }
    }
    keys = larger;
  }

  private static boolean insert(long[] into, long high, long low) {
    int mask = into.length - 1;
    int at = ((int) ((low * 0x9e3779b97f4a7c15L) >>> 20) << 1) & mask;
    while ((into[at] | into[at + 1]) != 0) {
      if (into[at] == high && into[at + 1] == low) {
        return false;
      }
      at = (at + 2) & mask;
    }
    into[at] = high;
    into[at + 1] = low;
    return true;
  }

  /**
   * The codec is part of it, for under another one the same bytes lead elsewhere; and the hash
   * function, for what one makes of some bytes, another may make of others.
   */
  private static long high(Cid cid) {
    return tail(cid).getLong(0) + cid.codec() ^ cid.multihash().code() * FUNCTION_SPREAD;
  }

  private static long low(Cid cid) {
    return tail(cid).getLong(Long.BYTES) | 1;
  }

  private static ByteBuffer tail(Cid cid) {
    byte[] digest = cid.multihash().digest();
    ByteBuffer tail = ByteBuffer.allocate(KEY_BYTES);
    int taken = Math.min(digest.length, KEY_BYTES);
    tail.put(KEY_BYTES - taken, digest, digest.length - taken, taken);
    return tail;
  }
}
