package dev.ashlar.server;

import dev.ashlar.block.BlockStore;
import dev.ashlar.server.client.ClusterClient;
import dev.ashlar.server.client.HttpBlockStore;
import dev.ashlar.server.client.ServerClient;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import dev.ashlar.store.lmdb.LmdbOptions;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which store a command works on: a running server's, or a stopped node's directory. */
final class ConnectOptions {

  @Option(
      names = "--server",
      paramLabel = "URL",
      defaultValue = "http://127.0.0.1:8420",
      description = "the server to talk to (default: ${DEFAULT-VALUE})")
  private URI server = URI.create("http://127.0.0.1:8420");

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "work on the directory of a node that is stopped, without a server")
  private @Nullable Path data;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description = "a file with the bearer token to send, in its first line")
  private @Nullable Path tokenFile;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "a file with options, one a line: name=value")
  private @Nullable Path config;

  /**
   * Opens it.
   *
   * @param serverIsFlag whether --server stands on the command line, and --data does not: then a
   *     directory of the environment's, a node's own, is not meant
   */
  BlockStore open(boolean serverIsFlag) throws IOException {
    if (data != null && !serverIsFlag) {
      return openDirectory(data, LmdbOptions.DEFAULT);
    }
    return new HttpBlockStore(server, token(tokenFile));
  }

  ServerClient server() throws IOException {
    return new ServerClient(server, token(tokenFile));
  }

  ClusterClient cluster() throws IOException {
    return new ClusterClient(server, token(tokenFile));
  }

  Optional<Path> config() {
    return Optional.ofNullable(config);
  }

  /** Opens a directory that a node has made; makes none. */
  static LmdbBlockStore openDirectory(Path directory, LmdbOptions options) throws IOException {
    if (!Files.exists(directory.resolve("data.mdb"))) {
      throw new IOException("there is no node's data in " + directory);
    }
    return LmdbBlockStore.open(directory, options);
  }

  static Optional<String> token(@Nullable Path file) throws IOException {
    if (file == null) {
      return Optional.empty();
    }
    return Files.readAllLines(file).stream()
        .map(String::strip)
        .filter(l -> !l.isEmpty() && !l.startsWith("#"))
        .findFirst();
  }
}
