package dev.ashlar.block.dag;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.ipld.PbNode;
import dev.ashlar.block.unixfs.Hamt;
import dev.ashlar.block.unixfs.UnixFsNode;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Predicate;

/** Reads files and directories from their blocks (UnixFS specification). Holds a block a level. */
public final class UnixFsReader {

  private static final int DEPTH_MAX = 128;
  private static final int SHARDS_MAX = 100_000;
  private static final int LINKS_MAX = 200_000;

  /** Roughly what a link takes that is still to be followed. */
  private static final int LINK_BYTES = 160;

  private UnixFsReader() {}

  /**
   * What lies at a CID.
   *
   * @param type what it is; {@link UnixFsNode.Type#RAW} for a block without UnixFS
   * @param size how many bytes a file has, or the target of a symlink
   */
  public record Stat(UnixFsNode.Type type, long size) {

    /** Whether it has names in it. */
    public boolean isDirectory() {
      return type == UnixFsNode.Type.DIRECTORY || type == UnixFsNode.Type.HAMT_SHARD;
    }

    /** Whether it has bytes. */
    public boolean isFile() {
      return type == UnixFsNode.Type.FILE || type == UnixFsNode.Type.RAW;
    }
  }

  /**
   * A name in a directory.
   *
   * @param totalBytes of all blocks below it, as the directory says it
   */
  public record Entry(String name, Cid cid, long totalBytes) {}

  /**
   * What a block is.
   *
   * @throws MalformedException when it is no part of a file system
   */
  public static Stat stat(Block block) {
    if (block.cid().codec() == Multicodec.RAW) {
      return new Stat(UnixFsNode.Type.RAW, block.size());
    }
    PbNode pb = PbNode.decode(requirePb(block).bytes());
    UnixFsNode node = node(block, pb);
    if (node.isFile() && node.blockSizes().size() != pb.links().size()) {
      throw new MalformedException(block.cid() + " does not say the sizes of its parts");
    }
    if (node.isFile() && node.size() != node.ownAndParts()) {
      throw new MalformedException(
          block.cid() + " says " + node.size() + " bytes and its parts have " + node.ownAndParts());
    }
    long size =
        node.type() == UnixFsNode.Type.SYMLINK
            ? node.data().map(ByteBuffer::remaining).orElse(0)
            : node.size();
    return new Stat(node.type(), size);
  }

  /** Where a symlink leads. */
  public static String target(Block block) {
    return node(block, PbNode.decode(requirePb(block).bytes()))
        .data()
        .map(data -> StandardCharsets.UTF_8.decode(data).toString())
        .orElse("");
  }

  /**
   * Shows the bytes of a file in their order, each part before the next is read.
   *
   * @param from the first byte
   * @param to the byte after the last; more than there are mean up to the end
   * @param part is given parts of blocks, not to be kept
   * @throws DagException.MissingBlock when a block is not there
   * @throws DagException.TooLarge when it is nested too deeply
   * @throws MalformedException when it is no file, or its parts have not the sizes they should
   */
  public static void copy(
      BlockSource source, Cid file, long from, long to, Consumer<ByteBuffer> part) {
    try (Content content = new Content(source, file, from, to)) {
      for (Optional<ByteBuffer> next = content.next(); next.isPresent(); next = content.next()) {
        part.accept(next.get());
      }
    }
  }

  /** The bytes of a file, or of a range of it, a part of a block at a time. For one thread. */
  public static final class Content implements AutoCloseable {

    private final BlockSource source;
    private final long from;
    private final long to;
    private final LongConsumer room;
    private final Deque<Level> pending = new ArrayDeque<>();

    /** As the other one, with room for as many links as are allowed. */
    public Content(BlockSource source, Cid file, long from, long to) {
      this(source, file, from, to, bytes -> {});
    }

    /**
     * Reads nothing yet.
     *
     * @param from the first byte
     * @param to the byte after the last; more than there are mean up to the end
     * @param room is told of bytes that are held from now on, or no longer held; throws when there
     *     is no room for them
     */
    public Content(BlockSource source, Cid file, long from, long to, LongConsumer room) {
      this.source = source;
      this.from = from;
      this.to = to;
      this.room = room;
      pending.push(new Level(List.of(new Part(file, 0, -1)).iterator(), 0));
    }

    /** Parts that are still to be read, and how many there were. */
    private record Level(Iterator<Part> parts, int size) {}

    /** Gives the room back that it has taken. */
    @Override
    public void close() {
      pending.forEach(level -> room.accept(-(long) LINK_BYTES * level.size()));
      pending.clear();
    }

    /**
     * What follows, empty at the end.
     *
     * @return bytes of a block, valid as long as that
     * @throws DagException.MissingBlock when a block is not there
     * @throws DagException.TooLarge when it is nested too deeply
     * @throws MalformedException when it is no file, or its parts have not the sizes they should
     */
    public Optional<ByteBuffer> next() {
      while (!pending.isEmpty()) {
        if (!pending.element().parts().hasNext()) {
          room.accept(-(long) LINK_BYTES * pending.pop().size());
          continue;
        }
        Part next = pending.element().parts().next();
        // A part without bytes lies nowhere: links to such could go on for ever.
        boolean isOutside =
            next.size() == 0
                || (next.size() > 0 && (next.at() >= to || next.at() + next.size() <= from));
        Optional<ByteBuffer> bytes = isOutside ? Optional.empty() : open(next);
        if (bytes.isPresent()) {
          return bytes;
        }
      }
      return Optional.empty();
    }

    /** The bytes that lie in a block itself; its parts are what follows. */
    private Optional<ByteBuffer> open(Part part) {
      Block block = source.require(part.cid());
      if (block.cid().codec() == Multicodec.RAW) {
        requireSize(block, part, block.size());
        return within(block.bytes(), part.at());
      }
      PbNode pb = PbNode.decode(requirePb(block).bytes());
      UnixFsNode node = node(block, pb);
      if (!node.isFile() || node.blockSizes().size() != pb.links().size()) {
        throw new MalformedException(block.cid() + " is no file, or does not say its sizes");
      }
      requireSize(block, part, node.ownAndParts());
      List<Part> parts = new ArrayList<>();
      long at = part.at() + node.dataBytes();
      for (int i = 0; i < pb.links().size(); i++) {
        long size = node.blockSizes().get(i);
        parts.add(new Part(pb.links().get(i).cid(), at, size));
        at += size;
      }
      if (pending.size() > DEPTH_MAX) {
        throw new DagException.TooLarge("levels", DEPTH_MAX);
      }
      room.accept((long) LINK_BYTES * parts.size());
      pending.push(new Level(parts.iterator(), parts.size()));
      if (pending.stream().mapToInt(Level::size).sum() > LINKS_MAX) {
        throw new DagException.TooLarge("links to follow", LINKS_MAX);
      }
      return node.data().flatMap(data -> within(data, part.at()));
    }

    private Optional<ByteBuffer> within(ByteBuffer bytes, long at) {
      long begin = Math.max(from - at, 0);
      long end = Math.min(to - at, bytes.remaining());
      return begin < end
          ? Optional.of(bytes.slice(bytes.position() + (int) begin, (int) (end - begin)))
          : Optional.empty();
    }
  }

  /**
   * A part of a file.
   *
   * @param at where it begins in the file
   * @param size how many bytes it has as its parent says, -1 for the file itself
   */
  private record Part(Cid cid, long at, long size) {}

  private static void requireSize(Block block, Part part, long size) {
    if (part.size() >= 0 && part.size() != size) {
      throw new MalformedException(
          block.cid() + " has " + size + " bytes of the file, and its parent says " + part.size());
    }
  }

  /**
   * Shows the names of a directory, those of its shards too; of a shard in the order of hashes.
   *
   * @param entry says whether to go on
   * @throws DagException.TooLarge when it has more than {@value #SHARDS_MAX} shards, or too deep
   *     ones
   * @throws DagException.MissingBlock when a block is not there
   * @throws MalformedException when it is no directory
   */
  public static void list(BlockSource source, Cid directory, Predicate<Entry> entry) {
    Deque<Iterator<PbNode.PbLink>> pending = new ArrayDeque<>();
    Deque<UnixFsNode> nodes = new ArrayDeque<>();
    push(source.require(directory), pending, nodes);
    int shards = 1;
    boolean wanted = true;
    while (wanted && !pending.isEmpty()) {
      if (!pending.peek().hasNext()) {
        pending.pop();
        nodes.pop();
        continue;
      }
      PbNode.PbLink link = pending.peek().next();
      UnixFsNode node = nodes.element();
      if (node.type() == UnixFsNode.Type.DIRECTORY) {
        wanted = entry.test(new Entry(link.name(), link.cid(), link.size()));
      } else if (!Hamt.isShard(link.name(), node)) {
        wanted = entry.test(new Entry(Hamt.nameOf(link.name(), node), link.cid(), link.size()));
      } else {
        if (pending.size() > DEPTH_MAX) {
          throw new DagException.TooLarge("levels", DEPTH_MAX);
        }
        if (++shards > SHARDS_MAX) {
          throw new DagException.TooLarge("shards", SHARDS_MAX);
        }
        push(source.require(link.cid()), pending, nodes);
      }
    }
  }

  private static void push(
      Block block, Deque<Iterator<PbNode.PbLink>> pending, Deque<UnixFsNode> nodes) {
    PbNode pb = PbNode.decode(requirePb(block).bytes());
    UnixFsNode node = node(block, pb);
    boolean isDirectory =
        node.type() == UnixFsNode.Type.DIRECTORY || node.type() == UnixFsNode.Type.HAMT_SHARD;
    if (!isDirectory) {
      throw new MalformedException(block.cid() + " is no directory");
    }
    pending.push(pb.links().iterator());
    nodes.push(node);
  }

  private static Block requirePb(Block block) {
    if (block.cid().codec() != Multicodec.DAG_PB) {
      throw new MalformedException(
          block.cid() + " is " + Multicodec.nameOf(block.cid().codec()) + " and no UnixFS");
    }
    return block;
  }

  private static UnixFsNode node(Block block, PbNode pb) {
    Optional<UnixFsNode> node = UnixFsNode.of(pb);
    return node.orElseThrow(() -> new MalformedException(block.cid() + " is no UnixFS"));
  }
}
