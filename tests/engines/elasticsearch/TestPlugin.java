import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.cjk.CJKAnalyzer;
import org.apache.lucene.analysis.cjk.CJKBigramFilter;
import org.apache.lucene.analysis.core.FlattenGraphFilter;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.en.PorterStemFilter;
import org.apache.lucene.analysis.miscellaneous.RemoveDuplicatesTokenFilter;
import org.apache.lucene.analysis.miscellaneous.WordDelimiterGraphFilter;
import org.apache.lucene.analysis.miscellaneous.WordDelimiterIterator;
import org.apache.lucene.analysis.pattern.PatternTokenizer;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.analysis.AnalyzerProvider;
import org.elasticsearch.index.analysis.AnalyzerScope;
import org.elasticsearch.index.analysis.PreConfiguredTokenFilter;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.index.analysis.TokenizerFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * What the tests need of Elastic's own modules, which are not to be had as artifacts: the answer to GET /, and the
 * analysis that ProRank's presets name, by Lucene's classes.
 */
public final class TestPlugin extends RestPlugin implements AnalysisPlugin {

    @Override
    List<RestHandler> handlers() {
        return List.of(new Greeting());
    }

    @Override
    public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
        return Map.of("english", analyzer(EnglishAnalyzer::new), "cjk", analyzer(CJKAnalyzer::new));
    }

    @Override
    public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        return Map.of(
            "stemmer", filter(settings -> PorterStemFilter::new),
            "flatten_graph", filter(settings -> FlattenGraphFilter::new),
            "cjk_bigram", filter(settings -> CJKBigramFilter::new),
            "remove_duplicates", filter(settings -> RemoveDuplicatesTokenFilter::new),
            "word_delimiter_graph", filter(TestPlugin::wordDelimiter)
        );
    }

    @Override
    public List<PreConfiguredTokenFilter> getPreConfiguredTokenFilters() {
        return List.of(
            PreConfiguredTokenFilter.singleton("flatten_graph", false, FlattenGraphFilter::new),
            PreConfiguredTokenFilter.singleton("remove_duplicates", false, RemoveDuplicatesTokenFilter::new)
        );
    }

    @Override
    public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
        return Map.of("pattern", (index, environment, name, settings) -> {
            Pattern pattern = Pattern.compile(settings.get("pattern", "\\W+"));
            int group = settings.getAsInt("group", -1);
            return TokenizerFactory.newFactory(name, () -> new PatternTokenizer(pattern, group));
        });
    }

    private static Function<TokenStream, TokenStream> wordDelimiter(Settings settings) {
        int flags = WordDelimiterGraphFilter.GENERATE_WORD_PARTS | WordDelimiterGraphFilter.GENERATE_NUMBER_PARTS
            | WordDelimiterGraphFilter.SPLIT_ON_CASE_CHANGE | WordDelimiterGraphFilter.SPLIT_ON_NUMERICS;
        if (settings.getAsBoolean("preserve_original", false)) {
            flags |= WordDelimiterGraphFilter.PRESERVE_ORIGINAL;
        }
        if (settings.getAsBoolean("stem_english_possessive", true)) {
            flags |= WordDelimiterGraphFilter.STEM_ENGLISH_POSSESSIVE;
        }
        int chosen = flags;
        byte[] kinds = WordDelimiterIterator.DEFAULT_WORD_DELIM_TABLE;
        return stream -> new WordDelimiterGraphFilter(stream, true, kinds, chosen, null);
    }

    private static AnalysisProvider<TokenFilterFactory> filter(Function<Settings, Function<TokenStream, TokenStream>> of) {
        return (index, environment, name, settings) -> new Filter(name, of.apply(settings));
    }

    private static <A extends Analyzer> AnalysisProvider<AnalyzerProvider<? extends Analyzer>> analyzer(Supplier<A> make) {
        return (index, environment, name, settings) -> new Provider<A>(name, AnalyzerScope.INDEX, make.get());
    }

    private record Filter(String name, Function<TokenStream, TokenStream> wrap) implements TokenFilterFactory {

        @Override
        public TokenStream create(TokenStream stream) {
            return wrap.apply(stream);
        }
    }

    private record Provider<A extends Analyzer>(String name, AnalyzerScope scope, A get) implements AnalyzerProvider<A> {}

    /** Answers GET / with the fields that clients read. */
    private static final class Greeting extends BaseRestHandler {

        @Override
        public String getName() {
            return "prorank_test_greeting";
        }

        @Override
        public List<Route> routes() {
            return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) throws IOException {
            String version = org.elasticsearch.Build.current().version();
            return channel -> {
                XContentBuilder body = channel.newBuilder().startObject();
                body.field("name", "prorank-test").field("cluster_name", "prorank-test");
                body.startObject("version").field("number", version).field("build_flavor", "default").endObject();
                body.field("tagline", "You Know, for Search").endObject();
                channel.sendResponse(new RestResponse(RestStatus.OK, body));
            };
        }
    }
}
