package dev.ashlar.http;

import dev.ashlar.block.Multicodec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** In which form something under {@code /ipfs} can be had (Trustless Gateway, "format"). */
enum ResponseFormat {
  /** The block. */
  RAW("raw", "application/vnd.ipld.raw", "bin"),
  /** Blocks one after the other. */
  CAR("car", "application/vnd.ipld.car", "car"),
  /** A block of this codec, as it is. */
  DAG_CBOR("dag-cbor", "application/vnd.ipld.dag-cbor", "cbor", Multicodec.DAG_CBOR),
  /** A block of this codec, as it is. */
  DAG_JSON("dag-json", "application/vnd.ipld.dag-json", "json", Multicodec.DAG_JSON),
  /** A block of this codec or of the stricter one, as it is. */
  CBOR("cbor", "application/cbor", "cbor", Multicodec.CBOR, Multicodec.DAG_CBOR),
  /** A block of this codec or of the stricter one, as it is. */
  JSON("json", "application/json", "json", Multicodec.JSON, Multicodec.DAG_JSON);

  private final String parameter;
  private final String contentType;
  private final String extension;
  private final List<Long> codecs;

  ResponseFormat(String parameter, String contentType, String extension, Long... codecs) {
    this.parameter = parameter;
    this.contentType = contentType;
    this.extension = extension;
    this.codecs = List.of(codecs);
  }

  /** What {@code format=} calls it. */
  String parameter() {
    return parameter;
  }

  /** Its media type. */
  String contentType() {
    return contentType;
  }

  /** How the name of a file of it ends. */
  String extension() {
    return extension;
  }

  /** Whether a block of a codec can be had in it. */
  boolean takes(long codec) {
    return codecs.isEmpty() || codecs.contains(codec);
  }

  /** The form in which a block of a codec is had as it is, if there is one for that codec alone. */
  static Optional<ResponseFormat> ofCodec(long codec) {
    return Arrays.stream(values()).filter(format -> format.codecs.indexOf(codec) == 0).findFirst();
  }

  /**
   * What a request asks for.
   *
   * @param format the form
   * @param isByAccept whether {@code Accept} said so, and {@code format=} did not
   * @param parameters those of the media type in {@code Accept}
   */
  record Wanted(ResponseFormat format, boolean isByAccept, Map<String, String> parameters) {}

  /** One entry of an Accept header (RFC 9110 §12.5.1). */
  private record MediaRange(String type, Map<String, String> parameters, double quality) {}

  /**
   * What a request asks for; empty where it does not say. {@code format=} is stronger than {@code
   * Accept}, whose parameters count where it has the same type.
   *
   * @param elseFiles whether other media types can be had too: one that is liked better is asked
   *     for then
   * @throws Problem where it is nothing that is served
   */
  static Optional<Wanted> wanted(Exchange exchange, boolean elseFiles) {
    List<MediaRange> accepted = accepted(exchange);
    Optional<String> format = exchange.parameter("format");
    if (format.isPresent()) {
      ResponseFormat named = named(format.get());
      Map<String, String> parameters =
          accepted.stream()
              .filter(range -> range.type().equals(named.contentType))
              .findFirst()
              .map(MediaRange::parameters)
              .orElse(Map.of());
      return Optional.of(new Wanted(named, false, parameters));
    }
    Optional<Wanted> best = Optional.empty();
    double quality = 0;
    double others = 0;
    for (MediaRange range : accepted) {
      Optional<ResponseFormat> known =
          Arrays.stream(values()).filter(f -> f.contentType.equals(range.type())).findFirst();
      if (known.isPresent() && range.quality() > quality) {
        best = Optional.of(new Wanted(known.get(), true, range.parameters()));
        quality = range.quality();
      }
      others = known.isEmpty() ? Math.max(others, range.quality()) : others;
    }
    return elseFiles && others > quality ? Optional.empty() : best;
  }

  private static ResponseFormat named(String name) {
    return Arrays.stream(values())
        .filter(format -> format.parameter.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                name.equals("ipns-record") || name.equals("tar")
                    ? new Problem(
                        Problem.Code.NOT_IMPLEMENTED,
                        "format " + name + " is not served; ask for raw or car")
                    : new Problem(
                        Problem.Code.INVALID_REQUEST,
                        "unknown format; there are "
                            + Arrays.stream(values())
                                .map(ResponseFormat::parameter)
                                .collect(Collectors.joining(", "))));
  }

  private static List<MediaRange> accepted(Exchange exchange) {
    List<MediaRange> ranges = new ArrayList<>();
    for (String list : exchange.request().headers().getAll("Accept")) {
      for (String each : list.split(",", -1)) {
        ranges.add(mediaRange(each));
      }
    }
    return ranges;
  }

  private static MediaRange mediaRange(String text) {
    String[] parts = text.split(";", -1);
    Map<String, String> parameters = new HashMap<>();
    for (int i = 1; i < parts.length; i++) {
      String[] pair = parts[i].split("=", 2);
      if (pair.length == 2) {
        parameters.put(pair[0].strip().toLowerCase(Locale.ROOT), pair[1].strip().replace("\"", ""));
      }
    }
    double quality = 1;
    try {
      quality = Double.parseDouble(parameters.getOrDefault("q", "1"));
    } catch (NumberFormatException e) {
      // RFC 9110 says nothing of a weight that is no number: it counts as none.
      parameters.remove("q");
    }
    return new MediaRange(parts[0].strip().toLowerCase(Locale.ROOT), parameters, quality);
  }
}
