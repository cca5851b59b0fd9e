package dev.ashlar.block.root;

import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.BlockPage;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.dag.DagException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Deletes blocks that neither a pin nor a reference leads to, while others write: it marks what
 * roots lead to, lists the store, and proposes what is neither marked nor young to be deleted. What
 * is proposed is judged again in log order (see {@link GarbageBatch}), so that nothing is deleted
 * that was put or whose root was set in between. Blocks its caller; for one thread.
 *
 * <p>What a block leads to that is itself missing cannot be known: roots that lead to such a block
 * stop the collection, unless it is told to take what lies below for garbage.
 */
public final class Collector {

  private static final int PAGE = 1000;
  private static final int REMARKS_MAX = 1000;

  private final BlockStore blocks;
  private final RootStore roots;
  private final Marking marking;
  private final Listener listener;
  private final boolean ignoresMissing;
  private long markedAt;
  private long graceAt;
  private long looked;
  private long deleted;
  private int confirmedMissing;

  /** Told of what comes about; it may end the collection at any time. */
  public interface Listener {

    /** A block was deleted. */
    void deleted(Cid cid);

    /** How far it is. */
    void progress(Progress progress);

    /** Whether to go on: asked often. */
    boolean goesOn();
  }

  /**
   * How far a collection is.
   *
   * @param marked how many blocks roots lead to, as far as is known
   * @param missing how many of them are not there
   * @param looked how many blocks of the store have been looked at
   * @param deleted how many have been deleted
   */
  public record Progress(long marked, long missing, long looked, long deleted) {}

  /**
   * @param store is not closed
   * @param ignoresMissing whether roots may lead to blocks that are not there
   */
  public Collector(
      RootedBlockStore store, Marking.Limits limits, boolean ignoresMissing, Listener listener) {
    this.ignoresMissing = ignoresMissing;
    this.roots = store.roots();
    // What is here is enough, once all up to the marking's index is.
    this.blocks = store.reading(ReadConsistency.UNCONFIRMED);
    this.marking = new Marking(blocks::get, blocks::has, limits, listener::goesOn);
    this.listener = listener;
  }

  /**
   * Collects.
   *
   * @param graceIndex blocks whose last put is above this log index stay
   * @return how far it came
   * @throws Marking.StoppedException when the listener ended it
   * @throws IncompleteRootsException when roots lead to blocks that are not there
   * @throws UnwalkableRootException when a root leads to more than the limits allow, or to a block
   *     whose links cannot be read
   */
  public Progress collect(long graceIndex) {
    markedAt = roots.appliedIndex();
    graceAt = Math.min(graceIndex, markedAt);
    roots.verify();
    mark(0);
    Optional<BlockCursor> cursor = Optional.of(BlockCursor.START);
    List<Cid> garbage = new ArrayList<>();
    while (cursor.isPresent()) {
      requireGoingOn();
      BlockPage page = blocks.list(cursor.get(), PAGE);
      for (BlockPage.Entry entry : page.entries()) {
        looked++;
        if (isGarbage(entry.cid().multihash())) {
          garbage.add(entry.cid());
        }
      }
      cursor = page.next();
      if (garbage.size() >= GarbageBatch.BLOCKS_MAX - PAGE || cursor.isEmpty()) {
        delete(garbage);
        garbage.clear();
      }
      listener.progress(progress());
    }
    return progress();
  }

  private Progress progress() {
    return new Progress(marking.marked(), marking.missingCount(), looked, deleted);
  }

  private boolean isGarbage(Multihash multihash) {
    if (marking.holds(multihash)) {
      return false;
    }
    OptionalLong lastPut = roots.lastPut(multihash);
    return lastPut.isPresent() && lastPut.getAsLong() <= graceAt;
  }

  private void delete(List<Cid> garbage) {
    List<Cid> left = garbage;
    for (int i = 0; !left.isEmpty(); i++) {
      if (marking.missingCount() > 0) {
        left = withoutWhatHasCome(left);
        if (left.isEmpty()) {
          return;
        }
      }
      List<Multihash> names = left.stream().map(Cid::multihash).toList();
      if (roots.collect(new GarbageBatch(markedAt, graceAt, names))) {
        // To see it here: collecting may have been done elsewhere.
        roots.appliedIndex();
        left.stream().filter(cid -> !blocks.has(cid)).forEach(this::noteDeleted);
        return;
      }
      if (i == REMARKS_MAX) {
        throw new StoreUnavailableException("roots are set all the time: collect again later");
      }
      long before = markedAt;
      markedAt = roots.appliedIndex();
      mark(before);
      left = left.stream().filter(cid -> isGarbage(cid.multihash())).toList();
    }
  }

  /** A block that was missing may be put while this runs: then what it leads to is kept. */
  private List<Cid> withoutWhatHasCome(List<Cid> garbage) {
    boolean[] hasCome = new boolean[1];
    walk("a pin or a reference", () -> hasCome[0] = marking.markWhatHasCome());
    if (!hasCome[0]) {
      return garbage;
    }
    confirmedMissing = 0;
    requireTrulyMissing();
    return garbage.stream().filter(cid -> !marking.holds(cid.multihash())).toList();
  }

  private void noteDeleted(Cid cid) {
    deleted++;
    listener.deleted(cid);
  }

  /** Marks what roots lead to that were changed after an index. */
  private void mark(long after) {
    for (RootKey.Kind kind : RootKey.Kind.values()) {
      Optional<RootKey> last = Optional.empty();
      boolean more = kind.keepsBlocks();
      while (more) {
        List<RootRecord> page = roots.list(RootKey.of(kind, new byte[0]), last, PAGE);
        page.stream().filter(root -> root.changedAt() > after).forEach(this::mark);
        more = page.size() == PAGE;
        last = page.isEmpty() ? last : Optional.of(page.get(page.size() - 1).key());
        listener.progress(progress());
      }
    }
    requireTrulyMissing();
  }

  /** A block that damage hides would make garbage of all that it leads to. */
  private void requireTrulyMissing() {
    List<Cid> missing = marking.missing();
    if (marking.missingCount() > (ignoresMissing ? missing.size() : 0)) {
      throw new IncompleteRootsException(marking.missingCount(), missing.get(0));
    }
    for (Cid cid : missing.subList(confirmedMissing, missing.size())) {
      requireGoingOn();
      if (roots.isElsewhere(cid)) {
        throw new StoreDamagedException(
            "block " + cid + " is hidden here and another member has it: verify this member");
      }
    }
    confirmedMissing = missing.size();
  }

  private void mark(RootRecord root) {
    requireGoingOn();
    if (root.key().kind() == RootKey.Kind.REFERENCE) {
      Reference reference = Reference.of(root);
      walk("reference " + reference.name(), () -> marking.markAll(reference.cid()));
    } else {
      Pin pin = Pin.of(root);
      walk("the pin of " + pin.cid(), () -> marking.mark(pin));
    }
  }

  private static void walk(String root, Runnable marks) {
    try {
      marks.run();
    } catch (DagException.TooLarge | MalformedException e) {
      throw new UnwalkableRootException(root, e);
    }
  }

  private void requireGoingOn() {
    if (!listener.goesOn()) {
      throw new Marking.StoppedException();
    }
  }
}
