package dev.ashlar.block.unixfs;

import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.ipld.PbNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.apache.commons.codec.digest.MurmurHash3;

/**
 * The place of a name in a directory that is spread over shards (UnixFS specification, "HAMT
 * Sharded Directory"): the bits of its hash say which place to look at in each shard on the way.
 */
public final class Hamt {

  /** The hash of names over shards. */
  static final long MURMUR3_X64_64 = 0x22;

  /** How many places the shards have that are written here. */
  static final int FANOUT = 256;

  private static final int FANOUT_MAX = 1024;

  private final String name;
  private final byte[] hash;
  private int usedBits;

  /**
   * @param name to look for
   */
  public Hamt(String name) {
    this.name = name;
    this.hash = hash(name);
  }

  private static byte[] hash(String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    long[] wide = MurmurHash3.hash128x64(bytes, 0, bytes.length, 0);
    return ByteBuffer.allocate(Long.BYTES).putLong(wide[0]).array();
  }

  /** The place of a name in a shard of {@link #FANOUT} places, so many levels below the root. */
  static int place(String name, int level) {
    byte[] hash = hash(name);
    if (level >= hash.length) {
      throw new MalformedException("names agree in all bits of their hashes");
    }
    return hash[level] & 0xff;
  }

  /** Where to look on. */
  public sealed interface Place {
    /** In another shard. */
    record Shard(Cid cid) implements Place {}

    /** The name is here. */
    record Entry(Cid cid) implements Place {}

    /** The name is not in the directory. */
    record Nowhere() implements Place {}
  }

  /**
   * Looks for the name in the next shard on the way, the first of which is the directory's root.
   *
   * @throws MalformedException when it is not a shard of a known kind, or the way is too long
   */
  public Place lookIn(PbNode shard, UnixFsNode node) {
    String prefix = prefix(next(bits(node)), node);
    for (PbNode.PbLink link : shard.links()) {
      if (isShard(link.name(), node)) {
        if (link.name().equals(prefix)) {
          return new Place.Shard(link.cid());
        }
      } else if (link.name().startsWith(prefix)
          && link.name().substring(prefix.length()).equals(name)) {
        return new Place.Entry(link.cid());
      }
    }
    return new Place.Nowhere();
  }

  /** Whether a link of a shard leads to another shard: its name is a place and nothing more. */
  public static boolean isShard(String linkName, UnixFsNode node) {
    return linkName.length() == prefixChars(node);
  }

  /** The name of a shard's link without the place that stands before it. */
  public static String nameOf(String linkName, UnixFsNode node) {
    return linkName.substring(Math.min(linkName.length(), prefixChars(node)));
  }

  private static int prefixChars(UnixFsNode node) {
    return Long.toHexString(node.fanout() - 1).length();
  }

  private static String prefix(int place, UnixFsNode node) {
    return String.format(Locale.ROOT, "%0" + prefixChars(node) + "X", place);
  }

  private static int bits(UnixFsNode node) {
    long fanout = node.fanout();
    boolean isPowerOfTwo = fanout > 1 && fanout <= FANOUT_MAX && Long.bitCount(fanout) == 1;
    if (!isPowerOfTwo || node.hashType() != MURMUR3_X64_64) {
      throw new MalformedException(
          "a shard of fanout " + fanout + " and hash " + node.hashType() + " is not understood");
    }
    return Long.numberOfTrailingZeros(fanout);
  }

  /** The next bits of the hash, the first bits of its bytes first. */
  private int next(int bits) {
    if (usedBits + bits > hash.length * Byte.SIZE) {
      throw new MalformedException("a directory is spread over more shards than a hash has bits");
    }
    int place = 0;
    for (int i = 0; i < bits; i++) {
      int at = usedBits++;
      place = (place << 1) | ((hash[at / Byte.SIZE] >>> (7 - at % Byte.SIZE)) & 1);
    }
    return place;
  }
}
