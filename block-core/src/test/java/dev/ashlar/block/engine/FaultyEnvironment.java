package dev.ashlar.block.engine;

import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.StoreFailedException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** Storage that fails on demand: at a write, at a commit before or after it took effect. */
public final class FaultyEnvironment implements Environment {

  /** How the next commit or write ends. */
  public enum Fault {
    /** It works. */
    NONE,
    /** The next value that is written finds no room. */
    FULL_AT_WRITE,
    /** The next commit finds no room and changes nothing. */
    FULL_AT_COMMIT,
    /** The next commit fails and changed nothing. */
    FAILS_BEFORE_COMMIT,
    /** The next commit fails although it took effect. */
    FAILS_AFTER_COMMIT,
    /** A commit does not end until another fault is set. */
    HANGS_AT_COMMIT,
    /** What is to be deleted is not found. */
    FINDS_NOTHING_TO_DELETE,
    /** Cursors show entries of the log that cannot be found by their keys. */
    HIDES_THE_LOG,
    /** Code underneath falls over what is stored. */
    BREAKS_AT_READ,
    /** The device does not give the pages of the heap, of which a JVM tells in its own way. */
    GIVES_NO_BYTES
  }

  private final Environment environment;
  private volatile Fault fault = Fault.NONE;
  private volatile long freeBytes = Long.MAX_VALUE / 2;

  /** Storage over another one. */
  public FaultyEnvironment(Environment environment) {
    this.environment = environment;
  }

  /** Sets how writes end from now on; failures of commits happen once. */
  public void set(Fault newFault) {
    fault = newFault;
  }

  /** Sets how much is free. */
  public void setFreeBytes(long bytes) {
    freeBytes = bytes;
  }

  @Override
  public ReadTransaction beginRead() {
    if (fault == Fault.BREAKS_AT_READ) {
      throw new IndexOutOfBoundsException("nonsense");
    }
    ReadTransaction reader = environment.beginRead();
    return switch (fault) {
      case HIDES_THE_LOG -> new HidingReader(reader);
      case GIVES_NO_BYTES -> new FailingReader(reader);
      default -> reader;
    };
  }

  @Override
  public WriteTransaction beginWrite() {
    return new FaultyWriter(environment.beginWrite());
  }

  @Override
  public long freeBytes() {
    return freeBytes;
  }

  @Override
  public void close() {
    environment.close();
  }

  private record HidingReader(ReadTransaction reader) implements ReadTransaction {

    @Override
    public Optional<ByteBuffer> get(MapName map, byte[] key) {
      return map == MapName.LOG ? Optional.empty() : reader.get(map, key);
    }

    @Override
    public MapCursor cursor(MapName map) {
      return reader.cursor(map);
    }

    @Override
    public void close() {
      reader.close();
    }
  }

  private record FailingReader(ReadTransaction reader) implements ReadTransaction {

    @Override
    public Optional<ByteBuffer> get(MapName map, byte[] key) {
      if (map == MapName.HEAP) {
        throw new InternalError("a fault occurred in a recent unsafe memory access operation");
      }
      return reader.get(map, key);
    }

    @Override
    public MapCursor cursor(MapName map) {
      return reader.cursor(map);
    }

    @Override
    public void close() {
      reader.close();
    }
  }

  private final class FaultyWriter implements WriteTransaction {

    private final WriteTransaction writer;

    FaultyWriter(WriteTransaction writer) {
      this.writer = writer;
    }

    @Override
    public void put(MapName map, byte[] key, byte[] value) {
      failIfFull();
      writer.put(map, key, value);
    }

    @Override
    public ByteBuffer reserve(MapName map, byte[] key, int size) {
      if (map == MapName.HEAP) {
        failIfFull();
      }
      return writer.reserve(map, key, size);
    }

    @Override
    public ByteBuffer replace(MapName map, byte[] key, int size) {
      return writer.replace(map, key, size);
    }

    @Override
    public boolean delete(MapName map, byte[] key) {
      return fault != Fault.FINDS_NOTHING_TO_DELETE && writer.delete(map, key);
    }

    @Override
    public void commit() {
      Fault now = fault;
      while (fault == Fault.HANGS_AT_COMMIT) {
        Thread.onSpinWait();
      }
      if (now == Fault.FULL_AT_COMMIT) {
        fault = Fault.NONE;
        throw new NoSpaceException("full at commit");
      }
      if (now == Fault.FAILS_BEFORE_COMMIT) {
        fault = Fault.NONE;
        throw new StoreFailedException("failed", new java.io.IOException("EIO"), true);
      }
      writer.commit();
      if (now == Fault.FAILS_AFTER_COMMIT) {
        fault = Fault.NONE;
        throw new StoreFailedException("failed", new java.io.IOException("EIO"), true);
      }
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

    private void failIfFull() {
      if (fault == Fault.FULL_AT_WRITE) {
        fault = Fault.NONE;
        throw new NoSpaceException("full at write");
      }
    }
  }
}
