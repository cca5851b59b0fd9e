package dev.ashlar.block.car;

import dev.ashlar.block.Multihash;
import java.io.IOException;

/**
 * The index of a CARv2 (CARv2 specification, "Index payload"), read past and checked for its shape:
 * reading a stream in order needs no index, but what follows the index must be noticed.
 */
final class CarIndex {

  private static final long INDEX_SORTED = 0x0400;
  private static final long MULTIHASH_INDEX_SORTED = 0x0401;
  private static final int OFFSET_BYTES = 8;

  private CarIndex() {}

  static void check(CarInput in) throws IOException {
    long at = in.offset();
    long format = in.readVarintOrEnd("the index's format");
    if (format == INDEX_SORTED) {
      checkBuckets(in);
    } else if (format == MULTIHASH_INDEX_SORTED) {
      int codes = readCount(in, "the index's number of hash functions");
      for (int i = 0; i < codes; i++) {
        in.skip(Long.BYTES, "a hash function's code");
        checkBuckets(in);
      }
    } else {
      throw new CarException(
          format < 0 ? "the index is missing" : "an index of an unknown format " + format, at);
    }
  }

  private static void checkBuckets(CarInput in) throws IOException {
    int buckets = readCount(in, "the index's number of buckets");
    for (int i = 0; i < buckets; i++) {
      long at = in.offset();
      long width =
          Integer.toUnsignedLong(in.readLittleEndian(Integer.BYTES, "a bucket's width").getInt());
      long length = in.readLittleEndian(Long.BYTES, "a bucket's length").getLong();
      if (width <= OFFSET_BYTES || width > Multihash.DIGEST_BYTES_MAX + OFFSET_BYTES) {
        throw new CarException("an index row of " + width + " bytes", at);
      }
      if (length < 0 || length % width != 0) {
        throw new CarException("an index bucket is no whole number of rows", at + Integer.BYTES);
      }
      in.skip(length, "an index bucket");
    }
  }

  private static int readCount(CarInput in, String what) throws IOException {
    long at = in.offset();
    int count = in.readLittleEndian(Integer.BYTES, what).getInt();
    if (count < 0) {
      throw new CarException(what + " is negative", at);
    }
    return count;
  }
}
