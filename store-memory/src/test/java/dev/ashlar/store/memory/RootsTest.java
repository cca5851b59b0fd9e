package dev.ashlar.store.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.TestBlocks;
import dev.ashlar.block.dag.DagException;
import dev.ashlar.block.ipld.Node;
import dev.ashlar.block.ipld.NodeCodec;
import dev.ashlar.block.root.Collector;
import dev.ashlar.block.root.Marking;
import dev.ashlar.block.root.Pin;
import dev.ashlar.block.root.Pins;
import dev.ashlar.block.root.References;
import dev.ashlar.block.root.RootStore;
import dev.ashlar.block.root.Stamps;
import dev.ashlar.block.root.UnwalkableRootException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pins, references, what they lead to, and how old what is: over one store. */
class RootsTest {

  private static final long DAG_JOSE = 0x85;
  private static final long STEP_SECONDS = 300;
  private static final long DAY_SECONDS = 24 * 3600;

  private final MemoryBlockStore store = MemoryBlockStore.open();
  private final RootStore roots = store.roots();
  private final Pins pins = new Pins(roots);
  private final Block leaf = TestBlocks.numbered(1, 100);
  private final Block other = TestBlocks.numbered(2, 100);

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void aBlockOfAnUnknownCodecIsNotPassedOverForHavingBeenMetAsALeaf() {
    Block parent = list(leaf.cid());
    store.putAll(List.of(leaf, parent));
    pins.add(new Pin(parent.cid().withCodec(Multicodec.RAW), Pin.Mode.DIRECT, ""));
    pins.add(new Pin(parent.cid().withCodec(DAG_JOSE), Pin.Mode.RECURSIVE, ""));

    assertThatThrownBy(() -> collect(false))
        .isInstanceOf(UnwalkableRootException.class)
        .hasMessageContaining(parent.cid().withCodec(DAG_JOSE).toString());
    assertThat(store.has(leaf.cid())).isTrue();
  }

  @Test
  void aReferenceToWhatIsTooDeepIsNamed() {
    Block deep = leaf;
    store.put(deep);
    for (int i = 0; i < Marking.Limits.DEFAULT.depthMax() + 2; i++) {
      deep = list(deep.cid());
      store.put(deep);
    }
    new References(roots).set("deep", new References.Expected.Any(), deep.cid());

    assertThatThrownBy(() -> collect(false)).hasMessageContaining("reference deep");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatWasMissingAndComesInTimeKeepsWhatItLeadsTo(boolean isAllOfIt) {
    Block late = list(leaf.cid());
    Block root = list(late.cid());
    store.putAll(isAllOfIt ? List.of(leaf, root) : List.of(leaf, root, other));
    pins.add(new Pin(root.cid(), Pin.Mode.RECURSIVE, ""));
    Collector collector =
        new Collector(
            store,
            Marking.Limits.DEFAULT,
            true,
            new Collector.Listener() {
              @Override
              public void deleted(Cid cid) {}

              @Override
              public void progress(Collector.Progress progress) {
                // All roots are marked by then, and nothing is deleted.
                store.put(late);
              }

              @Override
              public boolean goesOn() {
                return true;
              }
            });

    collector.collect(roots.appliedIndex());

    assertThat(store.has(leaf.cid())).isTrue();
    assertThat(store.has(other.cid())).isFalse();
  }

  @Test
  void linksThatAreStillToBeFollowedCount() {
    Cid[] many = new Cid[20_000];
    Arrays.setAll(many, i -> TestBlocks.numbered(i, 10).cid());
    Block wide = list(many);
    Marking.Limits few = new Marking.Limits(1 << 20, 100);
    Marking marking =
        new Marking(cid -> Optional.of(wide), cid -> true, few, () -> true, cid -> {});

    assertThatThrownBy(() -> marking.markAll(wide.cid())).isInstanceOf(DagException.TooLarge.class);
  }

  @Test
  void linksOfLevelsThatAreNearTheirEndCountToo() {
    List<Block> blocks = new ArrayList<>();
    Block below = leaf;
    for (int i = 0; i < 20; i++) {
      Cid[] links = new Cid[2000];
      Arrays.fill(links, leaf.cid());
      links[links.length - 1] = below.cid();
      below = list(links);
      blocks.add(below);
    }
    store.putAll(blocks);
    Marking.Limits few = new Marking.Limits(1 << 20, 100);
    Marking marking = new Marking(store::get, cid -> true, few, () -> true, cid -> {});
    Cid root = below.cid();

    assertThatThrownBy(() -> marking.markAll(root)).isInstanceOf(DagException.TooLarge.class);
  }

  @Test
  void aPinIsWalkedWhenAllThatWasDoneBeforeItIsSeen() {
    List<String> calls = new ArrayList<>();
    RootStore told = seen((method, result) -> calls.add(method));

    assertThat(
            new Pins(told)
                .add(new Pin(leaf.cid(), Pin.Mode.RECURSIVE, ""), () -> calls.add("walk")))
        .isPresent();

    assertThat(calls).containsExactly("get", "change", "appliedIndex", "walk");
  }

  @Test
  void ofTwoWhoPinAndFailNoneLeavesAPin() {
    Pin pin = new Pin(leaf.cid(), Pin.Mode.RECURSIVE, "");

    Optional<Pins.Added> outer =
        pins.add(
            pin,
            () -> {
              assertThat(pins.add(pin, () -> false)).isEmpty();
              return false;
            });

    assertThat(outer).isEmpty();
    assertThat(pins.get(leaf.cid())).isEmpty();
  }

  @Test
  void ofTwoWhoPinUnderOtherNamesAndFailNoneLeavesAPin() {
    Optional<Pins.Added> outer =
        pins.add(
            new Pin(leaf.cid(), Pin.Mode.RECURSIVE, "a"),
            () -> {
              Pin other = new Pin(leaf.cid(), Pin.Mode.RECURSIVE, "b");
              assertThat(pins.add(other, () -> false)).isEmpty();
              return false;
            });

    assertThat(outer).isEmpty();
    assertThat(pins.get(leaf.cid())).isEmpty();
  }

  @Test
  void whoFailsTakesNobodyElsesPinBack() {
    Pin pin = new Pin(leaf.cid(), Pin.Mode.RECURSIVE, "");

    Optional<Pins.Added> failing =
        pins.add(
            pin,
            () -> {
              assertThat(pins.add(pin, () -> true)).isPresent();
              return false;
            });

    assertThat(failing).isEmpty();
    assertThat(pins.get(leaf.cid())).contains(pin);
  }

  @Test
  void aPinThatIsTakenBackWhileAnotherWalksIsSetAnew() {
    Pin pin = new Pin(leaf.cid(), Pin.Mode.RECURSIVE, "");
    pins.add(pin);
    int[] walks = new int[1];

    Optional<Pins.Added> added =
        pins.add(
            pin,
            () -> {
              if (++walks[0] == 1) {
                pins.remove(leaf.cid());
              }
              return true;
            });

    assertThat(added).isPresent();
    assertThat(walks[0]).isEqualTo(2);
    assertThat(pins.get(leaf.cid())).contains(pin);
  }

  @Test
  void aPinIsNotMovedToWhatWasUnpinnedMeanwhile() {
    pins.add(new Pin(leaf.cid(), Pin.Mode.RECURSIVE, "a"));
    Pins.Added added =
        pins.add(new Pin(other.cid(), Pin.Mode.RECURSIVE, "a"), () -> true).orElseThrow();
    pins.remove(other.cid());

    assertThat(pins.update(leaf.cid(), added, true)).isFalse();
    assertThat(pins.get(leaf.cid())).isPresent();
    assertThat(pins.get(other.cid())).isEmpty();
  }

  @Test
  void stampsGoOnAfterAQuietTime() {
    Stamps stamps = new Stamps(roots, STEP_SECONDS);
    store.put(leaf);
    long seconds = count(stamps, 0, 3 * DAY_SECONDS);
    long quietAt = roots.appliedIndex();
    assertThat(count(stamps, seconds, DAY_SECONDS)).isPositive();
    assertThat(roots.appliedIndex()).isEqualTo(quietAt);

    store.put(other);
    long put = roots.appliedIndex();
    seconds = count(stamps, seconds + DAY_SECONDS, 3 * 3600);

    assertThat(stamps.indexBefore(nanos(seconds), 3600)).isGreaterThanOrEqualTo(put);
    assertThat(stamps.indexBefore(nanos(seconds), 12 * 3600)).isLessThan(put);
  }

  @Test
  void whoeverCountsWhatIsYoungStaysYoung() {
    List<Object> lists = new ArrayList<>();
    boolean[] isBehind = new boolean[1];
    RootStore late =
        changed(
            (method, result) -> {
              if (!method.equals("list")) {
                return result;
              }
              lists.add(isBehind[0] ? lists.get(lists.size() - 1) : result);
              return lists.get(lists.size() - 1);
            });
    Stamps one = new Stamps(roots, STEP_SECONDS);
    Stamps two = new Stamps(late, STEP_SECONDS);
    one.stampIfDue(nanos(0));
    one.indexBefore(nanos(1), 60);
    two.indexBefore(nanos(280), 60);
    store.put(leaf);
    long put = roots.appliedIndex();

    // Both have been due for long, and write one after the other: nothing grows older by that.
    boolean isWritten = one.stampIfDue(nanos(640));
    isBehind[0] = true;
    two.stampIfDue(nanos(640));
    isBehind[0] = false;

    assertThat(isWritten).isTrue();
    assertThat(one.indexBefore(nanos(641), 10)).isLessThan(put);
    assertThat(two.indexBefore(nanos(641), 10)).isLessThan(put);
    assertThat(new Stamps(roots, STEP_SECONDS).indexBefore(nanos(641), 10)).isLessThan(put);
  }

  @Test
  void timeThatWasCountedBeforeTheFirstStampIsNoAge() {
    Stamps early = new Stamps(roots, STEP_SECONDS);
    early.indexBefore(nanos(0), 60);
    store.put(leaf);
    long put = roots.appliedIndex();
    new Stamps(roots, STEP_SECONDS).stampIfDue(nanos(7200));

    assertThat(early.indexBefore(nanos(7201), 3600)).isLessThan(put);
    assertThat(early.stampIfDue(nanos(7202))).isFalse();
    assertThat(early.indexBefore(nanos(7201 + 3600), 3600)).isGreaterThanOrEqualTo(put);
  }

  /** Counts for so long, looking every 20 s; returns when it ends. */
  private static long count(Stamps stamps, long from, long seconds) {
    for (long at = from; at < from + seconds; at += 20) {
      stamps.stampIfDue(nanos(at));
    }
    return from + seconds;
  }

  private static LongSupplier nanos(long seconds) {
    return () -> TimeUnit.SECONDS.toNanos(seconds);
  }

  private void collect(boolean ignoresMissing) {
    Collector collector =
        new Collector(
            store,
            Marking.Limits.DEFAULT,
            ignoresMissing,
            new Collector.Listener() {
              @Override
              public void deleted(Cid cid) {}

              @Override
              public void progress(Collector.Progress progress) {}

              @Override
              public boolean goesOn() {
                return true;
              }
            });
    collector.collect(roots.appliedIndex());
  }

  private static Block list(Cid... links) {
    List<Node> values = Arrays.stream(links).<Node>map(Node.Link::new).toList();
    return Block.of(
        Multicodec.DAG_CBOR,
        HashFunction.SHA2_256,
        NodeCodec.encode(Multicodec.DAG_CBOR, new Node.Sequence(values)));
  }

  /** The records, through somebody who is shown what is asked and answered. */
  private RootStore seen(BiConsumer<String, Object> eye) {
    return changed(
        (method, result) -> {
          eye.accept(method, result);
          return result;
        });
  }

  /** The records, with other answers. */
  private RootStore changed(Change change) {
    return (RootStore)
        Proxy.newProxyInstance(
            RootStore.class.getClassLoader(),
            new Class<?>[] {RootStore.class},
            (proxy, method, arguments) ->
                change.apply(method.getName(), method.invoke(roots, arguments)));
  }

  @FunctionalInterface
  private interface Change {
    Object apply(String method, Object answer);
  }
}
