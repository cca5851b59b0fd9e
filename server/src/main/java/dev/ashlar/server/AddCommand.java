package dev.ashlar.server;

import dev.ashlar.block.BlockStore;
import dev.ashlar.block.PutBatch;
import dev.ashlar.block.unixfs.UnixFsWriter;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ashlar add}: files and directories as DAGs of blocks. */
@Command(
    name = "add",
    description = {
      "Store a file or a directory as UnixFS blocks, and print its CID.",
      "Any IPFS client can read it. Pin it ('ashlar pin add') or name it ('ashlar ref set'), or it"
          + " may be collected."
    })
final class AddCommand extends StoreCommand {

  @Parameters(paramLabel = "PATH", description = "a file, a directory, or - for standard input")
  private String path = "-";

  @Option(
      names = "--profile",
      paramLabel = "NAME",
      defaultValue = "unixfs-v1-2025",
      description =
          "how files become blocks: unixfs-v1-2025, or unixfs-v0-2015 for the CIDs of 'ipfs add'"
              + " (default: ${DEFAULT-VALUE})")
  private String profile = "unixfs-v1-2025";

  @Override
  int run(BlockStore store) throws IOException {
    PutBatch batch = new PutBatch(store);
    UnixFsWriter writer = new UnixFsWriter(profile(), batch::add);
    UnixFsWriter.Written written =
        path.equals("-") ? writer.file(System.in) : add(writer, Path.of(path));
    batch.flush();
    JsonObject json = new JsonObject().put("cid", written.cid().toString());
    if (path.equals("-") || !Files.isDirectory(Path.of(path))) {
      json.put("size", written.size());
    }
    print(
        json.put("totalBytes", written.totalBytes()).put("new", batch.created()),
        written.cid().toString());
    return 0;
  }

  private UnixFsWriter.Profile profile() {
    return switch (profile) {
      case "unixfs-v1-2025" -> UnixFsWriter.Profile.V1_2025;
      case "unixfs-v0-2015" -> UnixFsWriter.Profile.KUBO;
      default ->
          throw new IllegalArgumentException(
              "--profile is unixfs-v1-2025 or unixfs-v0-2015, not " + profile);
    };
  }

  /** Symlinks are followed where they are named, and refused where they are found. */
  private static UnixFsWriter.Written add(UnixFsWriter writer, Path file) throws IOException {
    if (!Files.isDirectory(file)) {
      try (InputStream in = Files.newInputStream(file)) {
        return writer.file(in);
      }
    }
    List<Path> inside;
    try (Stream<Path> entries = Files.list(file)) {
      inside = entries.toList();
    }
    Map<String, UnixFsWriter.Written> entries = new TreeMap<>();
    for (Path each : inside) {
      boolean isPlain =
          Files.isRegularFile(each, LinkOption.NOFOLLOW_LINKS)
              || Files.isDirectory(each, LinkOption.NOFOLLOW_LINKS);
      if (!isPlain) {
        throw new IOException(each + " is neither a file nor a directory: move it away first");
      }
      entries.put(String.valueOf(each.getFileName()), add(writer, each));
    }
    return writer.directory(entries);
  }
}
