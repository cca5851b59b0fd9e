package dev.ashlar.http;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.dag.DagException;
import dev.ashlar.block.dag.DagPath;
import dev.ashlar.block.dag.UnixFsReader;
import dev.ashlar.block.unixfs.UnixFsNode;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.MimeMapping;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Sends what a path leads to as a browser wants it (Path Gateway specification): the bytes of a
 * file or a range of them, a directory's {@code index.html} or a page with its names, the target of
 * a symlink.
 */
final class FileResponse {

  private static final int SNIFFED_BYTES = 512;
  private static final String TEXT = "text/plain; charset=utf-8";
  private static final String HTML = "text/html; charset=utf-8";
  private static final String INDEX = "index.html";
  private static final String UNKNOWN = "application/octet-stream";

  /** A generated page may look otherwise in another release. */
  private static final String A_WEEK = "public, max-age=604800, stale-while-revalidate=2678400";

  /** Scripts of stored pages run, but as of no origin: they cannot ask this server as its own. */
  private static final String SANDBOX =
      "sandbox allow-scripts allow-forms allow-popups allow-downloads";

  private final Workers workers;
  private final boolean isAlone;

  FileResponse(Workers workers, GatewayOptions options) {
    this.workers = workers;
    this.isAlone = options.readOnly();
  }

  /**
   * What the request says of the file that it becomes at the client.
   *
   * @param isDownload whether it is to be saved rather than shown
   * @param name what it is to be called
   */
  private record Saved(boolean isDownload, Optional<String> name) {}

  /** What there is to be sent. */
  private sealed interface Found {

    /**
     * A file.
     *
     * @param name what it is called
     * @param contentType what it seems to be
     */
    record File(Cid cid, long size, String name, String contentType) implements Found {}

    /** A directory without an index. */
    record Directory(Cid cid, Buffer page) implements Found {}

    /** A directory that was asked for as if it were a file. */
    record Elsewhere() implements Found {}

    /** A symlink. */
    record Link(Cid cid, String target) implements Found {}
  }

  /**
   * Answers.
   *
   * @param terminus where the path leads
   * @param validators headers that every answer has
   */
  void send(
      Exchange exchange,
      IpfsPath path,
      Cid terminus,
      ReadConsistency consistency,
      Map<String, String> validators) {
    Saved saved =
        new Saved(
            exchange.flag("download", false),
            exchange.parameter("filename").filter(name -> !name.isEmpty()));
    exchange.answer(
        workers.call(store -> find(exchange, path, saved, terminus, store.reading(consistency))),
        found -> {
          Map<String, String> headers = new LinkedHashMap<>(validators);
          if (!isAlone) {
            headers.put("Content-Security-Policy", SANDBOX);
          }
          headers.put("X-Content-Type-Options", "nosniff");
          if (found instanceof Found.File file) {
            file(exchange, saved, file, consistency, headers);
          } else if (found instanceof Found.Directory directory) {
            headers.put("Cache-Control", A_WEEK);
            headers.put("Content-Type", HTML);
            whole(exchange, "DirIndex-1_CID-" + directory.cid(), headers, directory.page());
          } else if (found instanceof Found.Link link) {
            headers.put("Content-Type", "inode/symlink");
            whole(exchange, link.cid().toString(), headers, Buffer.buffer(link.target()));
          } else {
            redirect(exchange);
          }
        });
  }

  private Found find(
      Exchange exchange, IpfsPath path, Saved saved, Cid terminus, BlockStore store) {
    try (MeteredSource source = new MeteredSource(workers, store, exchange)) {
      Block block = source.require(terminus);
      UnixFsReader.Stat stat = UnixFsReader.stat(block);
      if (stat.type() == UnixFsNode.Type.SYMLINK) {
        return new Found.Link(block.cid(), UnixFsReader.target(block));
      }
      if (!stat.isDirectory()) {
        String name = saved.name().orElse(nameIn(path));
        return file(source, block.cid(), stat.size(), name);
      }
      if (!path.text().endsWith("/")) {
        return new Found.Elsewhere();
      }
      Optional<Found> index = index(source, block.cid(), saved.name().orElse(INDEX));
      if (index.isPresent()) {
        return index.get();
      }
      return new Found.Directory(
          block.cid(), Buffer.buffer(DirectoryPage.of(source, block.cid(), path)));
    } catch (MalformedException e) {
      throw new Problem(
          Problem.Code.NOT_ACCEPTABLE,
          "there is no file or directory here (" + e.getMessage() + "): ask for ?format=raw");
    }
  }

  /** The page that stands for a directory, if it has one. */
  private static Optional<Found> index(MeteredSource source, Cid directory, String name) {
    Block page;
    UnixFsReader.Stat stat;
    try {
      page = source.require(DagPath.resolve(source, directory, List.of(INDEX)).terminus());
      stat = UnixFsReader.stat(page);
    } catch (DagException.NoSuchSegment | MalformedException e) {
      return Optional.empty();
    }
    return stat.isFile()
        ? Optional.of(file(source, page.cid(), stat.size(), name))
        : Optional.empty();
  }

  private static Found.File file(MeteredSource source, Cid cid, long size, String name) {
    String contentType = typeByName(name).orElseGet(() -> typeByContent(source, cid));
    return new Found.File(cid, size, name, contentType);
  }

  private static Optional<String> typeByName(String name) {
    int dot = name.lastIndexOf('.');
    return dot < 0
        ? Optional.empty()
        : Optional.ofNullable(
                MimeMapping.mimeTypeForExtension(name.substring(dot + 1).toLowerCase(Locale.ROOT)))
            .map(type -> type.startsWith("text/") ? type + "; charset=utf-8" : type);
  }

  /** By how the file begins (MIME Sniffing, only what is plain). */
  private static String typeByContent(MeteredSource source, Cid file) {
    ByteArrayOutputStream begin = new ByteArrayOutputStream();
    try (UnixFsReader.Content content = new UnixFsReader.Content(source, file, 0, SNIFFED_BYTES)) {
      for (Optional<ByteBuffer> next = content.next(); next.isPresent(); next = content.next()) {
        byte[] bytes = new byte[next.get().remaining()];
        next.get().duplicate().get(bytes);
        begin.writeBytes(bytes);
      }
    } catch (DagException.MissingBlock e) {
      return UNKNOWN; // Other ranges of it may be here.
    }
    return Sniffing.contentType(begin.toByteArray()).orElse(UNKNOWN);
  }

  private void file(
      Exchange exchange,
      Saved saved,
      Found.File file,
      ReadConsistency consistency,
      Map<String, String> headers) {
    headers.put("Content-Type", file.contentType());
    if (saved.isDownload() || saved.name().isPresent()) {
      headers.put(
          "Content-Disposition",
          Disposition.of(
              saved.isDownload() ? Disposition.ATTACHMENT : Disposition.INLINE, file.name()));
    }
    String entityTag = "\"" + file.cid() + "\"";
    if (BlockResponse.matches(exchange, entityTag)) {
      BlockResponse.notModified(exchange, entityTag, headers);
      return;
    }
    headers.put("ETag", entityTag);
    headers.put("Accept-Ranges", "bytes");
    Optional<ByteRange> range =
        exchange
            .header("Range")
            .filter(value -> !exchange.isHead())
            .filter(value -> exchange.header("If-Range").map(entityTag::equals).orElse(true))
            .flatMap(value -> ByteRange.parse(value, file.size()));
    long from = range.map(ByteRange::first).orElse(0L);
    long to = range.map(r -> r.last() + 1).orElse(file.size());
    headers.put("Content-Length", Long.toString(to - from));
    range.ifPresent(r -> headers.put("Content-Range", r.contentRange(file.size())));
    exchange.response().setStatusCode(range.isPresent() ? 206 : 200);
    SlicedResponse.send(
        workers,
        exchange,
        headers,
        slice -> new FileBody(workers, exchange, consistency, file.cid(), from, to));
  }

  private static void whole(
      Exchange exchange, String tag, Map<String, String> headers, Buffer body) {
    String entityTag = "\"" + tag + "\"";
    if (BlockResponse.matches(exchange, entityTag)) {
      BlockResponse.notModified(exchange, entityTag, headers);
      return;
    }
    HttpServerResponse response = exchange.response();
    headers.forEach(response::putHeader);
    response
        .putHeader("ETag", entityTag)
        .putHeader("Content-Length", Integer.toString(body.length()));
    if (exchange.isHead()) {
      response.end();
    } else {
      response.end(body);
    }
  }

  /** Names in a page are relative to what ends with a slash. */
  private static void redirect(Exchange exchange) {
    String query = exchange.request().query();
    exchange
        .response()
        .setStatusCode(301)
        .putHeader(
            "Location",
            exchange.request().path() + "/" + (query == null || query.isEmpty() ? "" : "?" + query))
        .end();
  }

  private static String nameIn(IpfsPath path) {
    int count = path.segments().size();
    return count == 0 ? path.root().toString() : path.segments().get(count - 1);
  }

  /** What is told of a file by its first bytes. */
  private static final class Sniffing {

    private static final Map<String, String> MAGIC =
        Map.of(
            "\u0089PNG\r\n\u001a\n", "image/png",
            "\u00ff\u00d8\u00ff", "image/jpeg",
            "GIF87a", "image/gif",
            "GIF89a", "image/gif",
            "%PDF-", "application/pdf",
            "PK\u0003\u0004", "application/zip",
            "\u001f\u008b\b", "application/gzip");

    private Sniffing() {}

    static Optional<String> contentType(byte[] begin) {
      String latin = new String(begin, StandardCharsets.ISO_8859_1);
      Optional<String> magic =
          MAGIC.entrySet().stream()
              .filter(entry -> latin.startsWith(entry.getKey()))
              .map(Map.Entry::getValue)
              .findFirst();
      if (magic.isPresent()) {
        return magic;
      }
      boolean isText = latin.chars().allMatch(c -> c >= ' ' || "\t\n\r\f\u001b".indexOf(c) >= 0);
      if (!isText) {
        return Optional.empty();
      }
      String lower = latin.stripLeading().toLowerCase(Locale.ROOT);
      return Optional.of(
          lower.startsWith("<!doctype html") || lower.startsWith("<html") ? HTML : TEXT);
    }
  }
}
