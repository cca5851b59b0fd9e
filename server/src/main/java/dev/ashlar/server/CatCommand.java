package dev.ashlar.server;

import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.dag.BlockSource;
import dev.ashlar.block.dag.DagException;
import dev.ashlar.block.dag.DagPath;
import dev.ashlar.block.dag.UnixFsReader;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ashlar cat}: the bytes of a file. */
@Command(name = "cat", description = "Write the bytes of a UnixFS file to standard output.")
final class CatCommand extends StoreCommand {

  @Parameters(
      paramLabel = "CID[/PATH]",
      description = "a file, or a path through directories to one; /ipfs/ before it or not")
  private String path = "";

  @Override
  int run(BlockStore store) throws IOException {
    String rest = path.startsWith("/ipfs/") ? path.substring("/ipfs/".length()) : path;
    List<String> segments = new ArrayList<>(List.of(rest.split("/")));
    Cid root = cid(segments.remove(0));
    segments.removeIf(String::isEmpty);
    BlockSource source = store::get;
    try (OutputStream out = new BufferedOutputStream(standardOutput(), 1 << 16)) {
      Cid file = DagPath.resolve(source, root, segments).terminus();
      UnixFsReader.copy(
          source,
          file,
          0,
          Long.MAX_VALUE,
          part -> {
            byte[] bytes = new byte[part.remaining()];
            part.get(bytes);
            try {
              out.write(bytes);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    } catch (DagException.MissingBlock e) {
      return absent(e.cid());
    }
    return 0;
  }
}
