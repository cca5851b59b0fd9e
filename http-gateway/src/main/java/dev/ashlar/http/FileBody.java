package dev.ashlar.http;

import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.dag.UnixFsReader;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.Optional;

/** The bytes of a UnixFS file, or of a range of it. */
final class FileBody implements SlicedResponse.Body {

  private final MeteredSource source;
  private final UnixFsReader.Content content;
  private final long length;
  private long given;

  /**
   * Reads nothing yet.
   *
   * @param from the first byte
   * @param to the byte after the last
   */
  FileBody(
      Workers workers,
      Exchange exchange,
      ReadConsistency consistency,
      Cid file,
      long from,
      long to) {
    this.source = new MeteredSource(workers, workers.store().reading(consistency), exchange);
    this.content = new UnixFsReader.Content(source, file, from, to, workers::chargeDownload);
    this.length = to - from;
  }

  @Override
  public boolean appendTo(ByteBuf slice) {
    Optional<ByteBuffer> bytes = content.next();
    if (bytes.isPresent()) {
      given += bytes.get().remaining();
      slice.writeBytes(bytes.get().duplicate());
    } else if (given != length) {
      // The length has been sent: nothing else may follow on the connection.
      throw new MalformedException("the file does not have the size that it says", given);
    }
    return bytes.isEmpty();
  }

  @Override
  public boolean hasBegun() {
    return given > 0;
  }

  @Override
  public void close() {
    content.close();
    source.close();
  }
}
