package dev.ashlar.block.dag;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.ipld.Links;
import dev.ashlar.block.ipld.PbNode;
import dev.ashlar.block.unixfs.Hamt;
import dev.ashlar.block.unixfs.UnixFsNode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * The blocks of a path and of what lies below its end, depth first, each before what it links to
 * (Trustless Gateway specification, "CAR Responses"). Holds one block, the links that are still to
 * be followed, and sixteen bytes for each block that it has shown. For one thread.
 */
public final class DagWalk {

  private static final long NOT_FOLLOWED = -1;

  /** Roughly what a link takes that is still to be followed. */
  private static final int LINK_BYTES = 160;

  private final BlockSource source;
  private final Options options;
  private final LongConsumer room;
  private final CidSet seen = new CidSet();
  private final Deque<Frame> pending = new ArrayDeque<>();
  private Optional<EntityBytes.Range> range = Optional.empty();
  private Optional<UnixFsNode.Type> entity = Optional.empty();
  private long visited;
  private long links;
  private long charged;

  /**
   * What to show.
   *
   * @param scope how much from where the path ends
   * @param bytes of a file, where only those that hold some of them are wanted
   * @param duplicates whether a block is shown again when it is met again
   * @param blocksMax how many blocks are visited at most
   * @param depthMax how many links lead to the deepest one at most
   */
  public record Options(
      DagScope scope,
      Optional<EntityBytes> bytes,
      boolean duplicates,
      long blocksMax,
      int depthMax) {

    /** Everything, each block once, within bounds that no honest DAG meets. */
    public static final Options ALL =
        new Options(DagScope.ALL, Optional.empty(), false, 10_000_000, 1024);
  }

  /**
   * A link to follow.
   *
   * @param cid where it leads
   * @param offset of its first byte in the file, where there is one
   * @param end of its bytes, as the block says that has the link
   */
  private record Child(Cid cid, long offset, long end) {

    Child(Cid cid, long offset) {
      this(cid, offset, Long.MAX_VALUE);
    }
  }

  /** Links of one block that are still to be followed, and how many there were. */
  private record Frame(Iterator<Child> children, int size) {}

  /**
   * @param path resolved from the same source
   * @param room is told of bytes that are held from now on, or no longer held; throws when there is
   *     no room for them
   */
  public DagWalk(BlockSource source, DagPath path, Options options, LongConsumer room) {
    this.source = source;
    this.options = options;
    this.room = room;
    push(List.of(new Child(path.terminus(), 0)));
    push(path.blocks().stream().map(cid -> new Child(cid, NOT_FOLLOWED)).toList());
  }

  /**
   * The next block; empty at the end. Blocks of identity CIDs are not shown, since they are in the
   * links to them.
   *
   * @throws DagException.MissingBlock when it is not there
   * @throws DagException.TooLarge when there is more than the options allow
   * @throws MalformedException when a block is not of its codec
   */
  public Optional<Block> next() {
    while (!pending.isEmpty()) {
      Frame frame = pending.peek();
      if (!frame.children().hasNext()) {
        pending.pop();
        links -= frame.size();
        continue;
      }
      Optional<Block> shown = visit(frame.children().next());
      if (shown.isPresent()) {
        return shown;
      }
    }
    return Optional.empty();
  }

  /** Gives the room back that it has taken. */
  public void close() {
    room.accept(-charged);
    charged = 0;
    pending.clear();
  }

  private Optional<Block> visit(Child child) {
    if (++visited > options.blocksMax()) {
      throw new DagException.TooLarge("blocks", options.blocksMax());
    }
    Cid cid = child.cid();
    boolean isNew = cid.isIdentity() || seen.add(cid);
    // What was met before has been followed, unless only a part of it was wanted.
    boolean follows =
        child.offset() != NOT_FOLLOWED && (isNew || options.duplicates() || range.isPresent());
    boolean shows = !cid.isIdentity() && (isNew || options.duplicates());
    if (!follows && !shows) {
      return Optional.empty();
    }
    Block block = cid.isIdentity() ? Block.inline(cid) : source.require(cid);
    if (follows) {
      follow(block, child);
    }
    charge();
    return shows ? Optional.of(block) : Optional.empty();
  }

  private void follow(Block block, Child child) {
    boolean isTerminus = pending.size() == 1;
    List<Child> children =
        switch (options.scope()) {
          case BLOCK -> List.of();
          case ENTITY -> isTerminus ? entity(block) : partsOf(block, child);
          case ALL -> links(block);
        };
    if (children.isEmpty()) {
      return;
    }
    if (pending.size() > options.depthMax()) {
      throw new DagException.TooLarge("levels", options.depthMax());
    }
    push(children);
  }

  private void push(List<Child> children) {
    links += children.size();
    pending.push(new Frame(children.iterator(), children.size()));
  }

  /** What the links of an unknown codec are nobody can say: it is shown, and is a leaf. */
  private static List<Child> links(Block block) {
    if (!Links.areKnown(block.cid().codec())) {
      return List.of();
    }
    return Links.of(block).stream().map(cid -> new Child(cid, 0)).toList();
  }

  private List<Child> entity(Block block) {
    if (block.cid().codec() != Multicodec.DAG_PB) {
      return List.of();
    }
    PbNode node = PbNode.decode(block.bytes());
    Optional<UnixFsNode> file = UnixFsNode.of(node);
    entity = file.map(UnixFsNode::type);
    if (file.isEmpty()) {
      return List.of();
    }
    if (file.get().isFile() && options.bytes().isPresent()) {
      range = Optional.of(options.bytes().get().of(file.get().size()));
    }
    return parts(node, file.get(), new Child(block.cid(), 0));
  }

  private List<Child> partsOf(Block block, Child child) {
    if (block.cid().codec() != Multicodec.DAG_PB) {
      return List.of();
    }
    PbNode node = PbNode.decode(block.bytes());
    return UnixFsNode.of(node).map(file -> parts(node, file, child)).orElse(List.of());
  }

  private List<Child> parts(PbNode node, UnixFsNode file, Child parent) {
    if (entity.filter(type -> type == UnixFsNode.Type.HAMT_SHARD).isPresent()) {
      return node.links().stream()
          .filter(link -> Hamt.isShard(link.name(), file))
          .map(link -> new Child(link.cid(), 0))
          .toList();
    }
    if (!file.isFile()) {
      return List.of();
    }
    List<Child> parts = new ArrayList<>();
    boolean sized = file.blockSizes().size() == node.links().size();
    long at = parent.offset() + file.dataBytes();
    // A part has no more bytes than whoever links to it says, or a few blocks could be endless.
    for (int i = 0; i < node.links().size(); i++) {
      if (range.isPresent() && at >= parent.end()) {
        break;
      }
      long size = sized ? file.blockSizes().get(i) : 0;
      long here = at;
      boolean wanted = !sized || range.map(r -> r.meets(here, size)).orElse(true);
      if (wanted) {
        long end = sized ? Math.min(parent.end(), at + size) : parent.end();
        parts.add(new Child(node.links().get(i).cid(), at, end));
      }
      at += size;
    }
    return parts;
  }

  private void charge() {
    long now = seen.bytes() + links * LINK_BYTES;
    // A little at a time would be asked for with every block.
    if (now > charged || now < charged / 2) {
      long wanted = now + now / 4;
      room.accept(wanted - charged);
      charged = wanted;
    }
  }
}
