package dev.ashlar.http;

import dev.ashlar.block.Cid;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.PutBatch;
import dev.ashlar.block.dag.BlockSource;
import dev.ashlar.block.dag.UnixFsReader;
import dev.ashlar.block.root.Pin;
import dev.ashlar.block.unixfs.UnixFsNode;
import dev.ashlar.block.unixfs.UnixFsWriter;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The commands of Kubo's RPC about files: {@code add}, {@code cat}, {@code ls}. */
final class KuboFileRoutes {

  private static final int ENTRIES_MAX = 1_000_000;
  private static final int ADDED_MAX = 250_000;
  private static final int DEPTH_MAX = 256;
  private static final int CHUNK_BYTES_MAX = 1 << 20;

  private final Jobs jobs;
  private final KuboPinRoutes pins;

  KuboFileRoutes(Jobs jobs, KuboPinRoutes pins) {
    this.jobs = jobs;
    this.pins = pins;
  }

  void addTo(Router router) {
    Kubo.add(router, "add", this::add);
    Kubo.add(router, "cat", this::cat);
    Kubo.add(router, "ls", this::list);
  }

  private void add(Exchange exchange) {
    UnixFsWriter.Profile profile = profile(exchange);
    for (String name : List.of("trickle", "nocopy", "fscache", "inline", "preserve-mode")) {
      if (exchange.flag(name, false)) {
        throw new Kubo.BadArgument("option " + name + " is not supported");
      }
    }
    boolean onlyHash = exchange.flag("only-hash", false);
    boolean wraps = exchange.flag("wrap-with-directory", false);
    boolean isPinned = exchange.flag("pin", true) && !onlyHash;
    boolean progress = exchange.flag("progress", false);
    String pinName = exchange.parameter("pin-name").orElse("");
    MultipartInput files = jobs.multipart(exchange);
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          Kubo.stream(out);
          PutBatch batch = new PutBatch(store);
          UnixFsWriter writer = new UnixFsWriter(profile, onlyHash ? block -> {} : batch::add);
          Tree top = new Tree(new int[1]);
          if (!files.forEach(part -> take(part, top, writer, out, progress))) {
            throw new Kubo.BadArgument("file argument 'path' is required");
          }
          List<UnixFsWriter.Written> roots = new ArrayList<>();
          if (wraps) {
            roots.add(finish("", top, writer, out));
          } else {
            top.entries.forEach((name, entry) -> roots.add(finish(name, entry, writer, out)));
          }
          batch.flush();
          if (isPinned) {
            for (UnixFsWriter.Written root : roots) {
              pins.pin(
                  store, new Pin(root.cid(), Pin.Mode.RECURSIVE, pinName), () -> !out.isGone());
            }
          }
        });
  }

  /** A file is told when it is written, its directories when all of them are. */
  private static void take(
      MultipartInput.Part part, Tree top, UnixFsWriter writer, JobOutput out, boolean progress)
      throws IOException {
    List<String> names = new ArrayList<>(List.of(part.fileName().split("/")));
    names.removeIf(String::isEmpty);
    boolean isPath =
        names.stream().noneMatch(n -> n.equals("..") || n.equals(".") || n.indexOf(0) >= 0);
    if (!isPath || names.size() > DEPTH_MAX) {
      throw new Kubo.BadArgument("a file's name is no path: " + part.fileName());
    }
    if (part.contentType().startsWith("application/x-directory")) {
      Tree directory = top.at(names);
      if (directory.file.isPresent()) {
        throw new Kubo.BadArgument("two things are called " + String.join("/", names));
      }
      directory.isDirectory = true;
      return;
    }
    if (part.contentType().startsWith("application/symlink")) {
      throw new Kubo.BadArgument("symlinks are not taken: " + part.fileName());
    }
    UnixFsWriter.Written written = writer.file(part.bytes());
    if (names.isEmpty()) {
      // A file without a name is called by its CID.
      names.add(written.cid().toString());
    }
    Tree entry = top.at(names);
    if (entry.file.isPresent() || entry.isDirectory || !entry.entries.isEmpty()) {
      throw new Kubo.BadArgument("two files are called " + String.join("/", names));
    }
    entry.file = Optional.of(written);
    if (progress) {
      out.line(new JsonObject().put("Name", String.join("/", names)).put("Bytes", written.size()));
    }
    tell(out, String.join("/", names), written);
    out.flush();
  }

  private static UnixFsWriter.Written finish(
      String path, Tree tree, UnixFsWriter writer, JobOutput out) {
    if (tree.file.isPresent()) {
      return tree.file.get();
    }
    Map<String, UnixFsWriter.Written> entries = new TreeMap<>();
    tree.entries.forEach(
        (name, entry) ->
            entries.put(
                name, finish(path.isEmpty() ? name : path + "/" + name, entry, writer, out)));
    UnixFsWriter.Written written = writer.directory(entries);
    tell(out, path, written);
    return written;
  }

  private static void tell(JobOutput out, String name, UnixFsWriter.Written written) {
    out.line(
        new JsonObject()
            .put("Name", name)
            .put("Hash", written.cid().toString())
            .put("Size", Long.toString(written.totalBytes())));
  }

  /** Directories that are being filled. */
  private static final class Tree {
    private final int[] total;
    private final Map<String, Tree> entries = new TreeMap<>();
    private Optional<UnixFsWriter.Written> file = Optional.empty();
    private boolean isDirectory;

    /**
     * A directory that is empty so far.
     *
     * @param total counts it and all that are within the topmost one
     */
    Tree(int[] total) {
      this.total = total;
      if (++total[0] > ADDED_MAX) {
        throw new Kubo.BadArgument(
            "at most " + ADDED_MAX + " files and directories are taken at once");
      }
    }

    Tree at(List<String> names) {
      Tree tree = this;
      for (String name : names) {
        if (tree.file.isPresent()) {
          throw new Kubo.BadArgument("'" + name + "' lies in what is a file");
        }
        tree = tree.entries.computeIfAbsent(name, n -> new Tree(total));
      }
      return tree;
    }
  }

  private static UnixFsWriter.Profile profile(Exchange exchange) {
    UnixFsWriter.Profile base =
        switch (exchange.parameter("profile").orElse("")) {
          case "", "unixfs-v0-2015", "legacy-cid-v0" -> UnixFsWriter.Profile.KUBO;
          case "unixfs-v1-2025" -> UnixFsWriter.Profile.V1_2025;
          default -> throw new Kubo.BadArgument("profile is unixfs-v0-2015 or unixfs-v1-2025");
        };
    HashFunction hash = Kubo.option(exchange, "hash", "sha2-256", HashFunction::parse);
    int versionDefault = hash == HashFunction.SHA2_256 ? base.cidVersion() : 1;
    int version = exchange.number("cid-version", 0, 1, versionDefault);
    boolean rawLeaves = exchange.flag("raw-leaves", version == 1 || base.rawLeaves());
    int links = exchange.number("max-file-links", 2, 1024, base.linksMax());
    return new UnixFsWriter.Profile(
        version,
        rawLeaves,
        chunkBytes(exchange.parameter("chunker"), base.chunkBytes()),
        links,
        hash,
        base.directoryBytesMax(),
        base.estimate());
  }

  private static int chunkBytes(Optional<String> chunker, int otherwise) {
    String text = chunker.orElse("default");
    if (text.equals("default")) {
      return otherwise;
    }
    if (text.matches("size-[1-9][0-9]{0,8}")) {
      int bytes = Integer.parseInt(text.substring("size-".length()));
      if (bytes <= CHUNK_BYTES_MAX) {
        return bytes;
      }
    }
    throw new Kubo.BadArgument(
        "chunker is size-N with N up to " + CHUNK_BYTES_MAX + ", not " + text);
  }

  private void cat(Exchange exchange) {
    List<Kubo.Path> paths = Kubo.arguments(exchange);
    long offset = longNumber(exchange, "offset", 0);
    long length = longNumber(exchange, "length", Long.MAX_VALUE);
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          out.header("Content-Type", "text/plain").header("X-Stream-Output", "1");
          BlockSource here = Kubo.source(store, out);
          long from = offset;
          long left = length;
          for (Kubo.Path path : paths) {
            Cid cid = path.cid(here);
            UnixFsReader.Stat stat = UnixFsReader.stat(here.require(cid));
            if (stat.isDirectory()) {
              throw Kubo.failed("this dag node is a directory");
            }
            long begin = Math.min(from, stat.size());
            long end = left > stat.size() - begin ? stat.size() : begin + left;
            UnixFsReader.copy(here, cid, begin, end, part -> out.write(Kubo.buffer(part)));
            from -= begin;
            left -= end - begin;
          }
        });
  }

  private static long longNumber(Exchange exchange, String name, long otherwise) {
    return exchange
        .parameter(name)
        .map(
            text -> {
              try {
                long number = Long.parseLong(text);
                if (number >= 0) {
                  return number;
                }
              } catch (NumberFormatException e) {
                // Said below.
              }
              throw new Kubo.BadArgument(name + " is a number of bytes, not " + text);
            })
        .orElse(otherwise);
  }

  private void list(Exchange exchange) {
    List<Kubo.Path> paths = Kubo.arguments(exchange);
    boolean resolves = exchange.flag("resolve-type", true) || exchange.flag("size", true);
    boolean streams = exchange.flag("stream", false);
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          Kubo.stream(out);
          BlockSource here = Kubo.source(store, out);
          JsonArray objects = new JsonArray();
          for (Kubo.Path path : paths) {
            Cid cid = path.cid(here);
            JsonArray links = new JsonArray();
            UnixFsReader.Stat stat = UnixFsReader.stat(here.require(cid));
            if (stat.isDirectory()) {
              UnixFsReader.list(
                  here,
                  cid,
                  entry -> {
                    JsonObject link = link(here, entry, resolves);
                    if (streams) {
                      out.line(object(path.text(), new JsonArray().add(link)));
                    } else if (links.size() == ENTRIES_MAX) {
                      throw Kubo.failed("the directory is too large: ask with stream=true");
                    } else {
                      links.add(link);
                    }
                    return true;
                  });
            }
            if (!streams) {
              objects.add(new JsonObject().put("Hash", path.text()).put("Links", links));
            }
          }
          if (!streams) {
            out.line(new JsonObject().put("Objects", objects));
          }
        });
  }

  private static JsonObject object(String hash, JsonArray links) {
    return new JsonObject()
        .put(
            "Objects", new JsonArray().add(new JsonObject().put("Hash", hash).put("Links", links)));
  }

  private static JsonObject link(BlockSource source, UnixFsReader.Entry entry, boolean resolves) {
    JsonObject link =
        new JsonObject().put("Name", entry.name()).put("Hash", entry.cid().toString());
    Optional<UnixFsReader.Stat> stat =
        resolves ? Optional.of(UnixFsReader.stat(source.require(entry.cid()))) : Optional.empty();
    int type =
        stat.map(s -> s.isDirectory() ? 1 : s.type() == UnixFsNode.Type.SYMLINK ? 4 : 2).orElse(0);
    boolean isFile = stat.filter(UnixFsReader.Stat::isFile).isPresent();
    return link.put("Size", isFile ? stat.get().size() : 0).put("Type", type).put("Target", "");
  }
}
