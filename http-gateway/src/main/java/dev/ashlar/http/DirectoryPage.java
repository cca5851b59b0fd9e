package dev.ashlar.http;

import dev.ashlar.block.Cid;
import dev.ashlar.block.dag.BlockSource;
import dev.ashlar.block.dag.UnixFsReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/** A directory as a page of HTML with a link for each name. */
final class DirectoryPage {

  private static final int ENTRIES_MAX = 10_000;

  private DirectoryPage() {}

  /**
   * The page.
   *
   * @param path as it was asked for, ending with a slash
   */
  static byte[] of(BlockSource source, Cid directory, IpfsPath path) {
    Map<String, UnixFsReader.Entry> entries = new TreeMap<>();
    boolean[] isWhole = {true};
    UnixFsReader.list(
        source,
        directory,
        entry -> {
          isWhole[0] = entries.size() < ENTRIES_MAX;
          if (isWhole[0]) {
            entries.put(entry.name(), entry);
          }
          return isWhole[0];
        });
    String title = escaped(shown(path));
    StringBuilder page = new StringBuilder();
    page.append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>")
        .append(title)
        .append("</title></head>\n<body><h1>")
        .append(title)
        .append("</h1>\n<table>\n");
    if (!path.segments().isEmpty()) {
      page.append("<tr><td><a href=\"../\">..</a></td><td></td></tr>\n");
    }
    entries
        .values()
        .forEach(
            entry ->
                page.append("<tr><td><a href=\"./")
                    .append(Disposition.percentEncoded(entry.name()))
                    .append("\">")
                    .append(escaped(entry.name()))
                    .append("</a></td><td>")
                    .append(entry.totalBytes())
                    .append("</td></tr>\n"));
    page.append("</table>\n");
    if (!isWhole[0]) {
      page.append("<p>and more; ask for <code>?format=car&amp;dag-scope=entity</code></p>\n");
    }
    return page.append("</body></html>\n").toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String shown(IpfsPath path) {
    return "/ipfs/"
        + path.root()
        + (path.segments().isEmpty() ? "" : "/" + String.join("/", path.segments()));
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }
}
