package dev.ashlar.block.unixfs;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.ipld.PbNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Makes blocks of files and directories (UnixFS specification, "File", "Directory"): a file is cut
 * into chunks of one size, and a balanced tree is built over them; a directory that is too large
 * for one block is spread over shards. Holds one chunk, and a link for each node of the path to it.
 * For one thread.
 */
public final class UnixFsWriter {

  private final Profile profile;
  private final Consumer<Block> blocks;

  /**
   * How files become blocks. The same bytes under the same profile have the same CID everywhere.
   *
   * @param cidVersion 0 or 1
   * @param rawLeaves whether the leaves of a file are blocks of codec raw
   * @param chunkBytes how many bytes a leaf has
   * @param linksMax how many links a node of a file has at most
   * @param hash of all blocks; with version 0 SHA-256
   * @param directoryBytesMax a directory whose links take more is spread over shards
   * @param estimate what is counted against that
   */
  public record Profile(
      int cidVersion,
      boolean rawLeaves,
      int chunkBytes,
      int linksMax,
      HashFunction hash,
      int directoryBytesMax,
      Estimate estimate) {

    /** What Kubo does unless it is told otherwise. */
    public static final Profile KUBO =
        new Profile(0, false, 256 << 10, 174, HashFunction.SHA2_256, 256 << 10, Estimate.LINKS);

    /** The profile {@code unixfs-v1-2025} (IPIP-0499). */
    public static final Profile V1_2025 =
        new Profile(1, true, 1 << 20, 1024, HashFunction.SHA2_256, 256 << 10, Estimate.BLOCK);

    /** Checks that version 0 can name the blocks. */
    public Profile {
      if (cidVersion == 0 && hash != HashFunction.SHA2_256) {
        throw new MalformedException("CIDs of version 0 go with sha2-256 only");
      }
      if (cidVersion < 0 || cidVersion > 1 || chunkBytes < 1 || linksMax < 2) {
        throw new MalformedException("version 0 or 1, chunks of a byte or more, two links or more");
      }
    }
  }

  /** What counts against the size of a directory in one block. */
  public enum Estimate {
    /** Names and CIDs. */
    LINKS,
    /** The whole block. */
    BLOCK
  }

  /**
   * A file or directory that was written.
   *
   * @param cid its root
   * @param size how many bytes a file has
   * @param totalBytes of all blocks, as links to it say it
   */
  public record Written(Cid cid, long size, long totalBytes) {}

  /**
   * @param blocks is given each block, children before their parents
   */
  public UnixFsWriter(Profile profile, Consumer<Block> blocks) {
    this.profile = profile;
    this.blocks = blocks;
  }

  /** Writes a file; reads the stream to its end. */
  public Written file(InputStream in) throws IOException {
    List<List<Written>> levels = new ArrayList<>();
    byte[] chunk = in.readNBytes(profile.chunkBytes());
    byte[] next = in.readNBytes(profile.chunkBytes());
    while (true) {
      add(levels, 0, leaf(chunk));
      if (next.length == 0) {
        break;
      }
      chunk = next;
      next = in.readNBytes(profile.chunkBytes());
    }
    return top(levels);
  }

  /** A node is made when another child comes that has no room in it, so that none has one child. */
  private void add(List<List<Written>> levels, int level, Written child) {
    if (levels.size() == level) {
      levels.add(new ArrayList<>());
    }
    List<Written> children = levels.get(level);
    if (children.size() == profile.linksMax()) {
      Written parent = node(children);
      children.clear();
      children.add(child);
      add(levels, level + 1, parent);
    } else {
      children.add(child);
    }
  }

  private Written top(List<List<Written>> levels) {
    int level = 0;
    while (true) {
      List<Written> children = levels.get(level);
      boolean isTop = level == levels.size() - 1;
      if (isTop && children.size() == 1) {
        return children.get(0);
      }
      add(levels, level + 1, node(children));
      level++;
    }
  }

  private Written leaf(byte[] bytes) {
    if (profile.rawLeaves()) {
      return write(Multicodec.RAW, ByteBuffer.wrap(bytes), bytes.length, 0);
    }
    // An empty file has no data, and one of some bytes has its size too.
    Optional<ByteBuffer> data =
        bytes.length == 0 ? Optional.empty() : Optional.of(ByteBuffer.wrap(bytes));
    UnixFsNode file =
        new UnixFsNode(UnixFsNode.Type.FILE, data, OptionalLong.of(bytes.length), List.of(), 0, 0);
    return write(
        Multicodec.DAG_PB, new PbNode(Optional.of(file.encode()), List.of()), bytes.length);
  }

  private Written node(List<Written> children) {
    List<PbNode.PbLink> links =
        children.stream().map(c -> new PbNode.PbLink(c.cid(), "", c.totalBytes())).toList();
    List<Long> sizes = children.stream().map(Written::size).toList();
    long size = sizes.stream().mapToLong(Long::longValue).sum();
    UnixFsNode file =
        new UnixFsNode(UnixFsNode.Type.FILE, Optional.empty(), OptionalLong.of(size), sizes, 0, 0);
    return write(Multicodec.DAG_PB, new PbNode(Optional.of(file.encode()), links), size);
  }

  /** Writes a directory of what has been written already, by name. */
  public Written directory(Map<String, Written> entries) {
    NavigableMap<String, Written> sorted = new TreeMap<>(UnixFsWriter::compareNames);
    sorted.putAll(entries);
    List<PbNode.PbLink> links = new ArrayList<>();
    sorted.forEach(
        (name, entry) -> links.add(new PbNode.PbLink(entry.cid(), name, entry.totalBytes())));
    UnixFsNode directory =
        new UnixFsNode(
            UnixFsNode.Type.DIRECTORY, Optional.empty(), OptionalLong.empty(), List.of(), 0, 0);
    PbNode node = new PbNode(Optional.of(directory.encode()), links);
    long estimate =
        profile.estimate() == Estimate.BLOCK
            ? node.encode().remaining()
            : links.stream().mapToLong(l -> bytes(l.name()) + l.cid().size()).sum();
    if (estimate > profile.directoryBytesMax()) {
      return shard(sorted, 0);
    }
    return write(Multicodec.DAG_PB, node, 0);
  }

  /** A shard of the entries whose hashes agree in the bytes before a level. */
  private Written shard(Map<String, Written> entries, int level) {
    NavigableMap<Integer, Map<String, Written>> places = new TreeMap<>();
    entries.forEach(
        (name, entry) ->
            places.computeIfAbsent(Hamt.place(name, level), p -> new TreeMap<>()).put(name, entry));
    List<PbNode.PbLink> links = new ArrayList<>();
    byte[] bitmap = new byte[Hamt.FANOUT / Byte.SIZE];
    for (Map.Entry<Integer, Map<String, Written>> place : places.entrySet()) {
      int at = place.getKey();
      bitmap[bitmap.length - 1 - at / Byte.SIZE] |= (byte) (1 << at % Byte.SIZE);
      String prefix = String.format(java.util.Locale.ROOT, "%02X", at);
      Map<String, Written> here = place.getValue();
      if (here.size() == 1) {
        Map.Entry<String, Written> only = here.entrySet().iterator().next();
        links.add(
            new PbNode.PbLink(
                only.getValue().cid(), prefix + only.getKey(), only.getValue().totalBytes()));
      } else {
        Written below = shard(here, level + 1);
        links.add(new PbNode.PbLink(below.cid(), prefix, below.totalBytes()));
      }
    }
    UnixFsNode shard =
        new UnixFsNode(
            UnixFsNode.Type.HAMT_SHARD,
            Optional.of(ByteBuffer.wrap(trimmed(bitmap))),
            OptionalLong.empty(),
            List.of(),
            Hamt.FANOUT,
            Hamt.MURMUR3_X64_64);
    return write(Multicodec.DAG_PB, new PbNode(Optional.of(shard.encode()), links), 0);
  }

  /** The bitmap is a number: it has no zeros before it. */
  private static byte[] trimmed(byte[] bitmap) {
    int from = 0;
    while (from < bitmap.length - 1 && bitmap[from] == 0) {
      from++;
    }
    return java.util.Arrays.copyOfRange(bitmap, from, bitmap.length);
  }

  private Written write(long codec, PbNode node, long size) {
    long below = node.links().stream().mapToLong(PbNode.PbLink::size).sum();
    return write(codec, node.encode(), size, below);
  }

  private Written write(long codec, ByteBuffer bytes, long size, long below) {
    int length = bytes.remaining();
    Block block = Block.of(codec, profile.hash(), bytes);
    blocks.accept(block);
    Cid cid = profile.cidVersion() == 0 ? block.cid().toV0().orElse(block.cid()) : block.cid();
    return new Written(cid, size, length + below);
  }

  private static int compareNames(String a, String b) {
    return java.util.Arrays.compareUnsigned(utf8(a), utf8(b));
  }

  private static long bytes(String name) {
    return utf8(name).length;
  }

  private static byte[] utf8(String name) {
    return name.getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }
}
