package dev.ashlar.simulation;

import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.engine.Environment;
import dev.ashlar.block.engine.MapCursor;
import dev.ashlar.block.engine.MapName;
import dev.ashlar.block.engine.ReadTransaction;
import dev.ashlar.block.engine.WriteTransaction;
import dev.ashlar.store.memory.MemoryEnvironment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * A disk that survives the crashes of its node: what is committed stays. It can be full, fail a
 * commit, be slow, stand still, rot, or turn out to have kept only what it had a while ago.
 */
final class SimDisk implements Environment {

  /** For what a disk has no room. */
  enum Fullness {
    NOT,
    BLOCKS,
    /** Somebody else has taken the reserve, too. */
    COMMITS_TOO
  }

  private static final long CAPACITY_BYTES = 1L << 40;

  private static final List<MapName> HIDING_BLOCKS =
      List.of(MapName.BLOCKS_EVEN, MapName.BLOCKS_ODD);
  private static final List<MapName> HIDING_ROOTS_FIRST =
      List.of(MapName.ROOTS_EVEN, MapName.ROOTS_ODD, MapName.BLOCKS_EVEN, MapName.BLOCKS_ODD);

  private MemoryEnvironment contents = new MemoryEnvironment(CAPACITY_BYTES);
  private Optional<MemoryEnvironment> remembered = Optional.empty();
  private Fullness full = Fullness.NOT;
  private BooleanSupplier fails = () -> false;
  private boolean isDoneAllTheSame;
  private boolean broken;
  private boolean harmed;
  private boolean hung;
  private int slowness = 1;

  void setFull(Fullness fullness) {
    full = fullness;
  }

  /**
   * Asked at each commit whether it is to fail.
   *
   * @param allTheSame whether the one that fails takes effect
   */
  void setFailing(BooleanSupplier newFails, boolean allTheSame) {
    fails = newFails;
    isDoneAllTheSame = allTheSame;
  }

  /** Whether a commit has failed. */
  boolean isBroken() {
    return broken;
  }

  /** Whether something has been done to it that no disk should do. */
  boolean isHarmed() {
    return harmed;
  }

  /** What is committed from now on may yet be lost. */
  void remember() {
    remembered = Optional.of(contents.copy());
  }

  /** Loses what was committed since it was to remember. For while its node is down. */
  void goBack() {
    remembered.ifPresent(then -> contents = then);
    remembered = Optional.empty();
    harmed = true;
  }

  /**
   * Does something to a value at rest: a bit of it flips, it goes missing, or it turns up where
   * another one belongs. Nobody is told.
   */
  void rot(World world, MapName map) {
    harmed = true;
    try (WriteTransaction write = contents.beginWrite()) {
      List<byte[]> keys = keys(write, map);
      if (keys.isEmpty()) {
        return;
      }
      byte[] key = keys.get(world.between(0, keys.size() - 1));
      // Of a row that is missing nothing tells before all are counted: absence is an answer.
      boolean mayMiss = map == MapName.HEAP || map == MapName.LOG || map == MapName.META;
      if (mayMiss && world.chance(0.3)) {
        write.delete(map, key);
      } else if (world.chance(0.3)) {
        byte[] other = keys.get(world.between(0, keys.size() - 1));
        write.put(map, key, value(write, map, other));
      } else {
        byte[] bytes = value(write, map, key);
        int bit = world.between(0, 8 * bytes.length - 1);
        bytes[bit / 8] ^= (byte) (1 << (bit % 8));
        write.put(map, key, bytes);
      }
      write.commit();
    }
  }

  /** A row of the index or a root record goes missing, if there is one. */
  void hide(World world) {
    harmed = true;
    List<MapName> maps = world.nowMicros() % 2 == 0 ? HIDING_ROOTS_FIRST : HIDING_BLOCKS;
    for (MapName map : maps) {
      try (WriteTransaction write = contents.beginWrite()) {
        List<byte[]> keys = keys(write, map);
        if (!keys.isEmpty()) {
          write.delete(map, keys.get(world.between(0, keys.size() - 1)));
          write.commit();
          return;
        }
      }
    }
  }

  private static List<byte[]> keys(ReadTransaction transaction, MapName map) {
    List<byte[]> keys = new ArrayList<>();
    try (MapCursor cursor = transaction.cursor(map)) {
      boolean more = cursor.seek(new byte[] {0});
      while (more) {
        keys.add(cursor.key());
        more = cursor.next();
      }
    }
    return keys;
  }

  private static byte[] value(ReadTransaction transaction, MapName map, byte[] key) {
    ByteBuffer value = transaction.get(map, key).orElseThrow();
    byte[] bytes = new byte[value.remaining()];
    value.get(bytes);
    return bytes;
  }

  void setHung(boolean isHung) {
    hung = isHung;
  }

  boolean isHung() {
    return hung;
  }

  /** How many times slower than usual a sync is. */
  void setSlowness(int times) {
    slowness = times;
  }

  int slowness() {
    return slowness;
  }

  @Override
  public ReadTransaction beginRead() {
    return contents.beginRead();
  }

  @Override
  public WriteTransaction beginWrite() {
    return new Writer(contents.beginWrite());
  }

  @Override
  public long freeBytes() {
    return full == Fullness.NOT ? contents.freeBytes() : 0;
  }

  @Override
  public void close() {
    // It outlives the engine that was opened on it.
  }

  private final class Writer implements WriteTransaction {

    private final WriteTransaction writer;

    Writer(WriteTransaction writer) {
      this.writer = writer;
    }

    @Override
    public void put(MapName map, byte[] key, byte[] value) {
      writer.put(map, key, value);
    }

    @Override
    public ByteBuffer reserve(MapName map, byte[] key, int size) {
      if (full != Fullness.NOT) {
        throw new NoSpaceException("the disk is full");
      }
      return writer.reserve(map, key, size);
    }

    @Override
    public ByteBuffer replace(MapName map, byte[] key, int size) {
      return writer.replace(map, key, size);
    }

    @Override
    public boolean delete(MapName map, byte[] key) {
      return writer.delete(map, key);
    }

    @Override
    public void commit() {
      if (full == Fullness.COMMITS_TOO) {
        throw new NoSpaceException("the disk is full");
      }
      if (fails.getAsBoolean()) {
        fails = () -> false;
        broken = true;
        if (isDoneAllTheSame) {
          writer.commit();
        }
        throw new StoreFailedException("the sync failed", new IOException("EIO"), true);
      }
      writer.commit();
    }

    @Override
    public Optional<ByteBuffer> get(MapName map, byte[] key) {
      return writer.get(map, key);
    }

    @Override
    public MapCursor cursor(MapName map) {
      return writer.cursor(map);
    }

    @Override
    public void close() {
      writer.close();
    }
  }
}
