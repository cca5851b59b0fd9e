package dev.ashlar.block.root;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.dag.BlockSource;
import dev.ashlar.block.dag.DagException;
import dev.ashlar.block.ipld.Links;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Walks what roots lead to, each link under the codec in the link: every block once for each codec
 * that it is linked under. Blocks without links are not read. For one thread.
 */
public final class Marking {

  private static final int MISSING_NAMED_MAX = 1000;

  /** Roughly what a link takes that is still to be followed. */
  private static final int LINK_BYTES = 96;

  private final BlockSource source;
  private final Has has;
  private final Limits limits;
  private final BooleanSupplier goesOn;
  private final Consumer<Cid> marked;
  private final MarkSet marks = new MarkSet();
  private final List<Cid> missing = new ArrayList<>();

  /** Those of them that are marked alone. */
  private final Set<Cid> direct = new HashSet<>();

  private long missingCount;
  private long pendingLinks;

  /** Whether a block is there: what it takes to look for those that have no links. */
  @FunctionalInterface
  public interface Has {
    /** Whether it is. May block. */
    boolean has(Cid cid);
  }

  /**
   * How far a marking goes.
   *
   * @param bytesMax of memory for what is marked, some 16 to 64 bytes a block, and for links that
   *     are still to be followed
   * @param depthMax how many links lead to the deepest block at most
   */
  public record Limits(long bytesMax, int depthMax) {

    /** Some millions of blocks. */
    public static final Limits DEFAULT = new Limits(256L << 20, 4096);
  }

  /** A walk was told to end. */
  public static final class StoppedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    StoppedException() {
      super("stopped");
    }
  }

  /**
   * @param source of blocks that have links
   * @param goesOn asked with every block
   */
  public Marking(BlockSource source, Has has, Limits limits, BooleanSupplier goesOn) {
    this(source, has, limits, goesOn, cid -> {});
  }

  /**
   * As the other one.
   *
   * @param marked is given each CID when its block is marked, once for each codec
   */
  public Marking(
      BlockSource source, Has has, Limits limits, BooleanSupplier goesOn, Consumer<Cid> marked) {
    this.source = source;
    this.has = has;
    this.limits = limits;
    this.goesOn = goesOn;
    this.marked = marked;
  }

  /**
   * Marks a block and all that it leads to.
   *
   * @throws DagException.TooLarge when there is more than the limits allow
   * @throws MalformedException when a block is not of the codec under which it is linked
   * @throws StoppedException when it was told to end
   */
  public void markAll(Cid root) {
    markAll(List.of(root));
  }

  private void markAll(List<Cid> roots) {
    Deque<Level> pending = new ArrayDeque<>();
    pendingLinks = 0;
    push(roots, pending);
    while (!pending.isEmpty()) {
      if (!pending.peek().links().hasNext()) {
        pendingLinks -= pending.pop().size();
        continue;
      }
      List<Cid> links = visit(pending.peek().links().next());
      if (!links.isEmpty()) {
        if (pending.size() > limits.depthMax()) {
          throw new DagException.TooLarge("levels", limits.depthMax());
        }
        push(links, pending);
      }
    }
  }

  /** Links of one block that are still to be followed, and how many there were. */
  private record Level(Iterator<Cid> links, int size) {}

  private void push(List<Cid> links, Deque<Level> pending) {
    pendingLinks += links.size();
    requireRoom();
    pending.push(new Level(links.iterator(), links.size()));
  }

  /**
   * Looks again for what was missing, and marks what has come with all that it leads to.
   *
   * @return whether something has come
   */
  public boolean markWhatHasCome() {
    List<Cid> come = missing.stream().filter(has::has).toList();
    missing.removeAll(come);
    missingCount -= come.size();
    for (Cid cid : come) {
      boolean follows = mayHaveLinks(cid.codec()) && !direct.remove(cid);
      markAll(follows ? read(cid) : List.of());
    }
    return !come.isEmpty();
  }

  /** Marks what a pin keeps; throws as {@link #markAll}. */
  public void mark(Pin pin) {
    if (pin.mode() == Pin.Mode.RECURSIVE) {
      markAll(pin.cid());
    } else {
      mark(pin.cid());
    }
  }

  /** Marks a block alone. */
  public void mark(Cid cid) {
    // As one without links: under its own codec it may still have to be followed.
    if (!cid.isIdentity() && add(cid.withCodec(Multicodec.RAW)) && !has.has(cid)) {
      noteMissing(cid);
      direct.add(cid);
    }
  }

  /** Whether a block is marked, under any codec. */
  public boolean holds(Multihash multihash) {
    return marks.contains(multihash);
  }

  /** How many blocks are marked, those that are missing among them. */
  public long marked() {
    return marks.size();
  }

  /** How many blocks are linked to and not there. */
  public long missingCount() {
    return missingCount;
  }

  /** The first thousand of them. */
  public List<Cid> missing() {
    return List.copyOf(missing);
  }

  private List<Cid> visit(Cid cid) {
    if (!goesOn.getAsBoolean()) {
      throw new StoppedException();
    }
    if (cid.isIdentity()) {
      return linksOf(Block.inline(cid));
    }
    // Before it counts as marked: as a leaf it may have been met under another codec.
    if (!Links.areKnown(cid.codec())) {
      throw new MalformedException(
          "the links of "
              + cid
              + " cannot be read, so what it leads to is not known: codec "
              + Multicodec.nameOf(cid.codec())
              + " is not understood");
    }
    if (!add(cid)) {
      return List.of();
    }
    if (!mayHaveLinks(cid.codec())) {
      if (!has.has(cid)) {
        noteMissing(cid);
      }
      return List.of();
    }
    return read(cid);
  }

  private List<Cid> read(Cid cid) {
    Optional<Block> block = source.get(cid);
    if (block.isEmpty()) {
      noteMissing(cid);
      direct.remove(cid);
      return List.of();
    }
    return linksOf(block.get());
  }

  private static List<Cid> linksOf(Block block) {
    if (!mayHaveLinks(block.cid().codec())) {
      return List.of();
    }
    try {
      return Links.of(block);
    } catch (MalformedException e) {
      throw new MalformedException(
          "the links of "
              + block.cid()
              + " cannot be read, so what it leads to is not known: "
              + e.getMessage());
    }
  }

  private static boolean mayHaveLinks(long codec) {
    return codec == Multicodec.DAG_PB
        || codec == Multicodec.DAG_CBOR
        || codec == Multicodec.DAG_JSON;
  }

  private boolean add(Cid cid) {
    boolean isNew = marks.add(cid);
    if (isNew) {
      marked.accept(cid);
    }
    requireRoom();
    return isNew;
  }

  private void requireRoom() {
    if (marks.bytes() + LINK_BYTES * pendingLinks > limits.bytesMax()) {
      throw new DagException.TooLarge("blocks for the memory given to a walk", marks.size());
    }
  }

  private void noteMissing(Cid cid) {
    missingCount++;
    if (missing.size() < MISSING_NAMED_MAX) {
      missing.add(cid);
    }
  }
}
