package dev.ashlar.store.memory;

import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.engine.Environment;
import dev.ashlar.block.engine.MapCursor;
import dev.ashlar.block.engine.MapName;
import dev.ashlar.block.engine.ReadTransaction;
import dev.ashlar.block.engine.WriteTransaction;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Ordered maps in memory. A commit swaps one reference, so readers hold a snapshot for nothing and
 * never wait. Nothing survives the process; what a crash would leave is the state of the last
 * commit.
 */
public final class MemoryEnvironment implements Environment {

  /** What an entry takes beside its key and value, in bytes: node, arrays' headers. */
  private static final int ENTRY_OVERHEAD_BYTES = 80;

  private final long capacityBytes;
  private volatile Contents contents = Contents.EMPTY;

  /**
   * @param capacityBytes how many bytes keys and values may take together, with their overhead
   */
  public MemoryEnvironment(long capacityBytes) {
    this.capacityBytes = capacityBytes;
  }

  /** Another environment that begins with what this one has now, and goes its own way. */
  public MemoryEnvironment copy() {
    MemoryEnvironment copy = new MemoryEnvironment(capacityBytes);
    copy.contents = contents;
    return copy;
  }

  @Override
  public ReadTransaction beginRead() {
    return new Reader(contents);
  }

  @Override
  public WriteTransaction beginWrite() {
    return new Writer(contents);
  }

  @Override
  public long freeBytes() {
    return capacityBytes - contents.bytes;
  }

  @Override
  public void close() {
    // Readers keep their snapshots; there is nothing to release.
  }

  /**
   * All maps at one commit.
   *
   * @param maps not changed once the contents are shared
   * @param bytes what they take
   */
  private record Contents(Map<MapName, PersistentMap> maps, long bytes) {
    static final Contents EMPTY = new Contents(new EnumMap<>(MapName.class), 0);
  }

  private static class Reader implements ReadTransaction {

    final Map<MapName, PersistentMap> maps;

    Reader(Contents snapshot) {
      maps = new EnumMap<>(snapshot.maps);
    }

    PersistentMap map(MapName name) {
      return maps.getOrDefault(name, PersistentMap.EMPTY);
    }

    @Override
    public Optional<ByteBuffer> get(MapName map, byte[] key) {
      byte[] value = map(map).get(key);
      return value == null
          ? Optional.empty()
          : Optional.of(ByteBuffer.wrap(value).asReadOnlyBuffer());
    }

    @Override
    public MapCursor cursor(MapName map) {
      return new Cursor(map(map));
    }

    @Override
    public void close() {
      // A snapshot holds nothing but memory.
    }
  }

  private final class Writer extends Reader implements WriteTransaction {

    private long bytes;

    Writer(Contents snapshot) {
      super(snapshot);
      bytes = snapshot.bytes;
    }

    @Override
    public void put(MapName map, byte[] key, byte[] value) {
      set(map, key, value);
    }

    @Override
    public ByteBuffer reserve(MapName map, byte[] key, int size) {
      byte[] value = new byte[size];
      set(map, key, value);
      return ByteBuffer.wrap(value);
    }

    @Override
    public ByteBuffer replace(MapName map, byte[] key, int size) {
      return reserve(map, key, size);
    }

    @Override
    public boolean delete(MapName map, byte[] key) {
      byte[] value = map(map).get(key);
      if (value == null) {
        return false;
      }
      bytes -= entryBytes(key, value);
      maps.put(map, map(map).without(key));
      return true;
    }

    @Override
    public void commit() {
      contents = new Contents(new EnumMap<>(maps), bytes);
    }

    private void set(MapName map, byte[] key, byte[] value) {
      byte[] before = map(map).get(key);
      bytes += entryBytes(key, value) - (before == null ? 0 : entryBytes(key, before));
      if (bytes > capacityBytes) {
        throw new NoSpaceException(
            "the memory store is full: it may take " + capacityBytes + " bytes");
      }
      maps.put(map, map(map).with(key, value));
    }

    private static long entryBytes(byte[] key, byte[] value) {
      return (long) key.length + value.length + ENTRY_OVERHEAD_BYTES;
    }
  }

  private static final class Cursor implements MapCursor {

    private final PersistentMap map;
    private PersistentMap.@Nullable Node here;

    Cursor(PersistentMap map) {
      this.map = map;
    }

    @Override
    public boolean seek(byte[] key) {
      here = map.ceiling(key, false);
      return here != null;
    }

    @Override
    public boolean next() {
      here = map.ceiling(node().key, true);
      return here != null;
    }

    @Override
    public byte[] key() {
      return node().key.clone();
    }

    @Override
    public ByteBuffer value() {
      return ByteBuffer.wrap(node().value).asReadOnlyBuffer();
    }

    @Override
    public void close() {
      // Nothing is held.
    }

    private PersistentMap.Node node() {
      if (here == null) {
        throw new IllegalStateException("the cursor is at no entry");
      }
      return here;
    }
  }
}
