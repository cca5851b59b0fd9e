package dev.ashlar.block.ipld;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads dag-json (DAG-JSON specification): JSON whose objects {@code {"/": …}} are links or bytes.
 */
final class DagJson {

  private static final int DEPTH_MAX = 1024;
  private static final String RESERVED = "/";

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(DEPTH_MAX)
                  .maxStringLength(Block.BYTES_MAX)
                  .build())
          .build();

  private DagJson() {}

  static List<Cid> links(Block block) {
    List<Cid> links = new ArrayList<>();
    try (JsonParser parser = parser(block)) {
      JsonToken token = parser.nextToken();
      while (token != null) {
        if (token == JsonToken.START_OBJECT) {
          link(parser).ifPresent(links::add);
          Links.requireFew(links.size(), block.size());
          // What lies under the first key may be an object itself.
          token = parser.currentToken() == token ? token : parser.nextToken();
        } else {
          token = parser.nextToken();
        }
      }
    } catch (IOException e) {
      throw malformed(e);
    }
    return links;
  }

  /** Goes along the segments as far as the next link, or to the value at their end. */
  static DataPath find(Block block, List<String> segments) {
    try (JsonParser parser = parser(block)) {
      int at = 0;
      JsonToken token = parser.nextToken();
      while (true) {
        if (token == JsonToken.START_OBJECT) {
          Optional<Cid> link = link(parser);
          if (link.isPresent()) {
            return new DataPath.ToLink(link.get(), at);
          }
        }
        if (at == segments.size()) {
          return new DataPath.ToValue();
        }
        boolean found =
            token == JsonToken.START_OBJECT
                ? toField(parser, segments.get(at))
                : token == JsonToken.START_ARRAY && toElement(parser, segments.get(at));
        if (!found) {
          return new DataPath.Missing(at);
        }
        at++;
        token = parser.currentToken();
      }
    } catch (IOException e) {
      throw malformed(e);
    }
  }

  /**
   * At the start of an object: reads it if it is a link; else stands at its first field, at that
   * one's value, or at the end.
   */
  private static Optional<Cid> link(JsonParser parser) throws IOException {
    if (parser.nextToken() != JsonToken.FIELD_NAME || !RESERVED.equals(parser.currentName())) {
      return Optional.empty();
    }
    if (parser.nextToken() != JsonToken.VALUE_STRING) {
      return Optional.empty();
    }
    Cid cid = Cid.parse(parser.getText());
    if (parser.nextToken() != JsonToken.END_OBJECT) {
      throw new MalformedException(
          "a dag-json link has nothing beside it", parser.currentLocation().getCharOffset());
    }
    return Optional.of(cid);
  }

  private static boolean toField(JsonParser parser, String name) throws IOException {
    JsonToken token = parser.currentToken();
    if (token != JsonToken.FIELD_NAME && token != JsonToken.END_OBJECT) {
      // At the value of the first field, whose name is no segment.
      parser.skipChildren();
      token = parser.nextToken();
    }
    while (token == JsonToken.FIELD_NAME) {
      boolean here = name.equals(parser.currentName());
      parser.nextToken();
      if (here) {
        return true;
      }
      parser.skipChildren();
      token = parser.nextToken();
    }
    return false;
  }

  private static boolean toElement(JsonParser parser, String segment) throws IOException {
    int index = DataPath.index(segment);
    JsonToken token = parser.nextToken();
    for (int i = 0; token != JsonToken.END_ARRAY && index >= 0; i++) {
      if (i == index) {
        return true;
      }
      parser.skipChildren();
      token = parser.nextToken();
    }
    return false;
  }

  /** dag-json is UTF-8, whatever its first bytes look like. */
  private static JsonParser parser(Block block) throws IOException {
    return parser(block.bytes());
  }

  static JsonParser parser(ByteBuffer bytes) throws IOException {
    byte[] copy = new byte[bytes.remaining()];
    bytes.duplicate().get(copy);
    return FACTORY.createParser(
        new InputStreamReader(new ByteArrayInputStream(copy), StandardCharsets.UTF_8));
  }

  static JsonGenerator generator(OutputStream out) throws IOException {
    return FACTORY.createGenerator(out);
  }

  /** There is nothing beneath that could fail but the text itself. */
  static MalformedException malformed(IOException e) {
    if (e instanceof StreamConstraintsException) {
      return new MalformedException(
          "the JSON is nested more than "
              + DEPTH_MAX
              + " levels deep, or a number, a name or a text in it is too long");
    }
    long offset =
        e instanceof JsonProcessingException json && json.getLocation() != null
            ? json.getLocation().getCharOffset()
            : 0;
    // What the parser says is for those who know its settings.
    return new MalformedException("not JSON", offset);
  }
}
