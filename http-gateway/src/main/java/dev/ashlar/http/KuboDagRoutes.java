package dev.ashlar.http;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.PutBatch;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.StoreUnavailableException;
import dev.ashlar.block.car.CarLimits;
import dev.ashlar.block.car.CarReader;
import dev.ashlar.block.car.CarWriter;
import dev.ashlar.block.dag.BlockSource;
import dev.ashlar.block.dag.DagPath;
import dev.ashlar.block.dag.DagWalk;
import dev.ashlar.block.ipld.Links;
import dev.ashlar.block.ipld.Node;
import dev.ashlar.block.ipld.NodeCodec;
import dev.ashlar.block.root.Pin;
import dev.ashlar.block.root.RootedBlockStore;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** The commands of Kubo's RPC about DAGs: {@code dag/*} and {@code refs}. */
final class KuboDagRoutes {

  private static final int VALUE_BYTES_MAX = 2 << 20;
  private static final int REFS_SEEN_MAX = 1_000_000;

  private final Workers workers;
  private final Jobs jobs;
  private final KuboPinRoutes pins;

  KuboDagRoutes(Workers workers, Jobs jobs, KuboPinRoutes pins) {
    this.workers = workers;
    this.jobs = jobs;
    this.pins = pins;
  }

  void addTo(Router router) {
    Kubo.add(router, "dag/put", this::put);
    Kubo.add(router, "dag/get", this::get);
    Kubo.add(router, "dag/resolve", this::resolve);
    Kubo.add(router, "dag/stat", this::stat);
    Kubo.add(router, "dag/import", this::importCars);
    Kubo.add(router, "dag/export", this::export);
    Kubo.add(router, "refs", this::refs);
  }

  private void put(Exchange exchange) {
    long store = Kubo.option(exchange, "store-codec", "dag-cbor", KuboDagRoutes::codec);
    long input = Kubo.option(exchange, "input-codec", "dag-json", KuboDagRoutes::codec);
    HashFunction hash = Kubo.option(exchange, "hash", "sha2-256", HashFunction::parse);
    boolean isPinned = exchange.flag("pin", false);
    MultipartInput files = jobs.multipart(exchange);
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (blocks, out) -> {
          boolean any =
              files.forEach(
                  part -> {
                    Block block = convert(whole(part, blocks), input, store, hash);
                    blocks.put(block);
                    if (isPinned) {
                      Pin pin = new Pin(block.cid(), Pin.Mode.RECURSIVE, "");
                      pins.pin(blocks, pin, () -> !out.isGone());
                    }
                    Kubo.stream(out);
                    out.line(new JsonObject().put("Cid", Kubo.link(block.cid())));
                  });
          if (!any) {
            throw new Kubo.BadArgument("file argument 'object data' is required");
          }
        });
  }

  private Block convert(byte[] bytes, long input, long store, HashFunction hash) {
    long room = takeRoom(input, bytes.length);
    try {
      Node node = NodeCodec.decode(input, ByteBuffer.wrap(bytes));
      return Block.of(store, hash, NodeCodec.encode(store, node));
    } finally {
      workers.downloads().give(room);
    }
  }

  /** For what a block is decoded into: never more than half of what there is for all. */
  private long takeRoom(long codec, int bytes) {
    long half = workers.limits().bodyBytesInFlightMax() / 2;
    long room = codec == Multicodec.RAW ? 0 : Math.min(half, NodeCodec.memoryOf(bytes));
    if (!workers.downloads().take(room)) {
      throw new StoreUnavailableException("too many blocks are being decoded; try again");
    }
    return room;
  }

  private static byte[] whole(MultipartInput.Part file, BlockStore store) throws IOException {
    int max = Math.max(VALUE_BYTES_MAX, store.blockBytesMax());
    byte[] bytes = file.bytes().readNBytes(max + 1);
    if (bytes.length > max) {
      throw Kubo.failed("a value has at most " + max + " bytes");
    }
    return bytes;
  }

  private static long codec(String name) {
    long codec = Multicodec.parse(name);
    if (!NodeCodec.isKnown(codec)) {
      throw new Kubo.BadArgument("values of codec " + name + " are not understood");
    }
    return codec;
  }

  private void get(Exchange exchange) {
    Kubo.Path path = Kubo.argument(exchange);
    long output = Kubo.option(exchange, "output-codec", "dag-json", KuboDagRoutes::codec);
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          BlockSource here = Kubo.source(store, out);
          DagPath resolved = path.resolve(here);
          Block block = here.require(resolved.terminus());
          out.header("Content-Type", contentType(output)).header("X-Stream-Output", "1");
          boolean isWhole = resolved.remainder().isEmpty();
          if (isWhole && block.cid().codec() == output) {
            out.write(Kubo.buffer(block.bytes()));
            return;
          }
          out.write(Kubo.buffer(converted(block, resolved.remainder(), path.text(), output)));
        });
  }

  private ByteBuffer converted(Block block, List<String> segments, String path, long output) {
    long room = takeRoom(block.cid().codec(), block.size());
    try {
      Node node = NodeCodec.decode(block.cid().codec(), block.bytes());
      return NodeCodec.encode(output, within(node, segments, path));
    } finally {
      workers.downloads().give(room);
    }
  }

  private static Node within(Node node, List<String> segments, String text) {
    Node here = node;
    for (String segment : segments) {
      Node next = null;
      if (here instanceof Node.Mapping map) {
        next = map.values().get(segment);
      } else if (here instanceof Node.Sequence list && segment.matches("0|[1-9][0-9]{0,8}")) {
        int index = Integer.parseInt(segment);
        next = index < list.values().size() ? list.values().get(index) : null;
      }
      if (next == null) {
        throw Kubo.failed("no link named \"" + segment + "\" under " + text);
      }
      here = next;
    }
    return here;
  }

  private static String contentType(long codec) {
    return codec == Multicodec.DAG_JSON || codec == Multicodec.JSON
        ? "application/vnd.ipld.dag-json"
        : "application/octet-stream";
  }

  private void resolve(Exchange exchange) {
    Kubo.Path path = Kubo.argument(exchange);
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          DagPath resolved = path.resolve(Kubo.source(store, out));
          out.header("Content-Type", "application/json");
          out.line(
              new JsonObject()
                  .put("Cid", Kubo.link(resolved.terminus()))
                  .put("RemPath", String.join("/", resolved.remainder())));
        });
  }

  private void stat(Exchange exchange) {
    List<Kubo.Path> paths = Kubo.arguments(exchange);
    boolean progress = exchange.flag("progress", true);
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          Kubo.stream(out);
          JsonArray stats = new JsonArray();
          Set<Object> unique = new HashSet<>();
          long uniqueBytes = 0;
          long sharedBytes = 0;
          for (Kubo.Path path : paths) {
            BlockSource here = Kubo.source(store, out);
            DagPath resolved = path.resolve(here);
            long size = 0;
            long count = 0;
            DagWalk walk = walk(here, resolved);
            try {
              for (Optional<Block> b = walk.next(); b.isPresent(); b = walk.next()) {
                size += b.get().size();
                count++;
                if (unique.add(b.get().cid().multihash())) {
                  uniqueBytes += b.get().size();
                } else {
                  sharedBytes += b.get().size();
                }
                if (unique.size() > REFS_SEEN_MAX) {
                  throw Kubo.failed("the DAG has more than " + REFS_SEEN_MAX + " blocks");
                }
              }
            } finally {
              walk.close();
            }
            JsonObject one =
                new JsonObject()
                    .put("Cid", Kubo.link(resolved.terminus()))
                    .put("Size", size)
                    .put("NumBlocks", count);
            stats.add(one);
            if (progress) {
              out.line(new JsonObject().put("DagStats", new JsonArray().add(one)));
            }
          }
          out.line(
              new JsonObject()
                  .put("UniqueBlocks", unique.size())
                  .put("TotalSize", uniqueBytes)
                  .put("SharedSize", sharedBytes)
                  .put(
                      "Ratio",
                      uniqueBytes == 0 ? 1 : (double) (uniqueBytes + sharedBytes) / uniqueBytes)
                  .put("DagStats", stats));
        });
  }

  /** The blocks of all files are stored before the first root is pinned. */
  private void importCars(Exchange exchange) {
    boolean pinsRoots = exchange.flag("pin-roots", true);
    boolean silent = exchange.flag("silent", false);
    boolean stats = exchange.flag("stats", false);
    MultipartInput files = jobs.multipart(exchange);
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          Set<Cid> roots = new LinkedHashSet<>();
          PutBatch batch = new PutBatch(store);
          if (!files.forEach(part -> roots.addAll(putAll(store, part, batch)))) {
            throw new Kubo.BadArgument("file argument 'path' is required");
          }
          Kubo.stream(out);
          if (pinsRoots) {
            roots.forEach(root -> pinRoot(store, root, silent, out));
          }
          if (stats && !silent) {
            out.line(
                new JsonObject()
                    .put(
                        "Stats",
                        new JsonObject()
                            .put("BlockCount", batch.blocks())
                            .put("BlockBytesCount", batch.bytes())));
          }
        });
  }

  private void pinRoot(RootedBlockStore store, Cid root, boolean silent, JobOutput out) {
    String error = "";
    try {
      pins.pin(store, new Pin(root, Pin.Mode.RECURSIVE, ""), () -> !out.isGone());
    } catch (Problem | MalformedException e) {
      error = String.valueOf(e.getMessage());
    }
    if (!silent || !error.isEmpty()) {
      out.line(
          new JsonObject()
              .put("Root", new JsonObject().put("Cid", Kubo.link(root)).put("PinErrorMsg", error)));
    }
  }

  /** The roots of a CAR whose blocks are stored now. */
  private static List<Cid> putAll(BlockStore store, MultipartInput.Part car, PutBatch batch) {
    try (CarReader reader =
        CarReader.open(car.bytes(), CarLimits.blocksOf(store.blockBytesMax()))) {
      for (Optional<Block> b = reader.next(); b.isPresent(); b = reader.next()) {
        batch.add(b.get());
      }
      batch.flush();
      return reader.roots();
    } catch (IOException e) {
      throw Kubo.failed("import failed: " + e.getMessage());
    }
  }

  private void export(Exchange exchange) {
    Kubo.Path path = Kubo.argument(exchange);
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          BlockSource here = Kubo.source(store, out);
          DagPath resolved = path.resolve(here);
          out.header("Content-Type", ResponseFormat.CAR.contentType())
              .header("X-Stream-Output", "1");
          DagWalk walk = walk(here, resolved);
          try {
            CarWriter writer = CarWriter.open(out, List.of(resolved.terminus()));
            for (Optional<Block> b = walk.next(); b.isPresent(); b = walk.next()) {
              writer.write(b.get());
            }
            writer.flush();
          } finally {
            walk.close();
          }
        });
  }

  /** From where a path ends, without what leads there. */
  private DagWalk walk(BlockSource source, DagPath path) {
    DagPath end = new DagPath(List.of(), List.of(path.terminus()), List.of());
    return new DagWalk(source, end, DagWalk.Options.ALL, workers::chargeDownload);
  }

  private void refs(Exchange exchange) {
    List<Kubo.Path> paths = Kubo.arguments(exchange);
    boolean recursive = exchange.flag("recursive", false);
    boolean unique = exchange.flag("unique", false);
    boolean edges = exchange.flag("edges", false);
    String format = exchange.parameter("format").orElse(edges ? "<src> -> <dst>" : "<dst>");
    int depthMax = exchange.number("max-depth", -1, 1000, -1);
    jobs.run(
        exchange,
        JobOutput.Failure.TRAILER,
        (store, out) -> {
          Kubo.stream(out);
          BlockSource here = Kubo.source(store, out);
          int depth = recursive ? (depthMax < 0 ? 1000 : depthMax) : 1;
          Refs refs =
              new Refs(here, store.reading(ReadConsistency.LOCAL)::has, out, format, unique, depth);
          for (Kubo.Path path : paths) {
            refs.tell(path.cid(here));
          }
        });
  }

  /** Links of a DAG, depth first, as {@code refs} tells them. */
  private static final class Refs {

    private final BlockSource source;
    private final Predicate<Cid> has;
    private final JobOutput out;
    private final String format;
    private final boolean unique;
    private final int depthMax;
    private final Set<Cid> seen = new HashSet<>();

    Refs(
        BlockSource source,
        Predicate<Cid> has,
        JobOutput out,
        String format,
        boolean unique,
        int depthMax) {
      this.source = source;
      this.has = has;
      this.out = out;
      this.format = format;
      this.unique = unique;
      this.depthMax = depthMax;
    }

    /** A link that is still to be told, and how deep it lies. */
    private record Edge(Cid from, PbName to, int depth) {}

    private record PbName(Cid cid, String name) {}

    void tell(Cid root) {
      Deque<Edge> pending = new ArrayDeque<>();
      pushLinks(root, 0, pending);
      while (!pending.isEmpty()) {
        Edge edge = pending.pop();
        Cid cid = edge.to().cid();
        boolean isNew = !unique || seen.add(cid);
        if (seen.size() > REFS_SEEN_MAX || pending.size() > REFS_SEEN_MAX) {
          throw Kubo.failed("the DAG has more than " + REFS_SEEN_MAX + " links");
        }
        if (isNew) {
          String text =
              format
                  .replace("<src>", edge.from().toString())
                  .replace("<dst>", cid.toString())
                  .replace("<linkname>", edge.to().name());
          out.line(new JsonObject().put("Ref", text).put("Err", ""));
          if (edge.depth() < depthMax) {
            pushLinks(cid, edge.depth(), pending);
          }
        }
        if (out.isGone()) {
          return;
        }
      }
    }

    private void pushLinks(Cid cid, int depth, Deque<Edge> pending) {
      if (depth >= depthMax) {
        return;
      }
      if (cid.codec() == Multicodec.RAW || !Links.areKnown(cid.codec())) {
        // It leads nowhere, but that it is here is a part of the answer.
        if (!has.test(cid)) {
          throw Kubo.absent(cid);
        }
        return;
      }
      Block block = cid.isIdentity() ? Block.inline(cid) : source.require(cid);
      List<PbName> links = new ArrayList<>();
      if (cid.codec() == Multicodec.DAG_PB) {
        dev.ashlar.block.ipld.PbNode.decode(block.bytes())
            .links()
            .forEach(link -> links.add(new PbName(link.cid(), link.name())));
      } else {
        Links.of(block).forEach(link -> links.add(new PbName(link, "")));
      }
      for (int i = links.size() - 1; i >= 0; i--) {
        pending.push(new Edge(cid, links.get(i), depth + 1));
      }
    }
  }
}
