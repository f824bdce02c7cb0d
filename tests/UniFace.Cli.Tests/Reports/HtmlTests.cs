using UniFace.Cli.Reports;
using UniFace.Faces;

namespace UniFace.Cli.Tests.Reports;

/// <summary>A report is self-contained and encodes all text.</summary>
public class HtmlTests
{
    [Fact]
    public void Report_contains_every_part_and_is_self_contained()
    {
        RgbImage image = new(4, 4);
        string markup = Html.Image(image, "a black square") + Html.Table([["head"], ["cell"]])
            + Html.Pairs([new ReportPair(image, image, 0.25, true, false), new ReportPair(image, image, -0.5, false, false)]);
        string html = Html.Fill(
            "<h1>{{title.Text}}</h1>{{body}}<p>{{rate:P1}}, {{none}}</p>",
            new Dictionary<string, string> { ["body"] = markup },
            new { title = new { Text = "Title" }, rate = 0.25, none = (double?)null });
        foreach (string part in (string[])[
            "<h1>Title</h1>", "<p>25.0 %, not measurable</p>", "alt=\"a black square\"",
            "<th>head</th>", "<td>cell</td>", "score 0.250", "rejected, wrong", "score -0.500", "rejected, right"])
        {
            Assert.Contains(part, html, StringComparison.Ordinal);
        }

        AssertSelfContained(html);
    }

    [Fact]
    public void Text_that_looks_like_markup_is_encoded() =>
        Assert.DoesNotContain(
            "<script",
            Html.Fill(
                "{{a}}{{b}}",
                new Dictionary<string, string> { ["a"] = Html.Table([["<script>"], ["<script>"]]) },
                new { b = "<script>" }),
            StringComparison.Ordinal);

    [Fact]
    public void Contact_sheet_has_each_image_in_its_place()
    {
        RgbImage red = new(2, 1, [255, 0, 0, 255, 0, 0]), blue = new(2, 1, [0, 0, 255, 0, 0, 255]);
        RgbImage sheet = ImageGrid.Compose([red, blue, blue], 2, gap: 1);
        Assert.Equal((5, 3), (sheet.Width, sheet.Height));
        byte[] Pixel(int x, int y) => sheet.Pixels[(3 * ((y * sheet.Width) + x))..][..3];
        Assert.Equal([255, 0, 0], Pixel(1, 0));
        Assert.Equal([0, 0, 255], Pixel(3, 0));
        Assert.Equal([0, 0, 255], Pixel(0, 2));
        Assert.NotEqual([0, 0, 255], Pixel(3, 2));
    }

    internal static void AssertSelfContained(string html)
    {
        foreach (string outside in (string[])["http:", "https:", "//cdn", "<script", "<link", "@import", "src=\"/", "url("])
        {
            Assert.DoesNotContain(outside, html, StringComparison.OrdinalIgnoreCase);
        }
    }
}
