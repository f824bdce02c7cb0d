using System.Buffers.Binary;
using UniFace.Faces;
using UniFace.Vision.Imaging;

namespace UniFace.Vision.Tests.Decoding;

/// <summary>HEIC and AVIF are decoded upright, in no more memory than they declare, whatever their coded data claims.</summary>
public class HeifContainerTests
{
    // TestImages.Quadrants(64, 32) by heif-enc (libheif 1.15, x265) as a grid of tiles; turned by a box irot where the name says so. The last by libaom.
    internal const string Upright =
        "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAaptZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAACAAAAEGlkYXQAAA"
        + "AAAEAAIAAAADhpbG9jAQAAAERAAAIAAQAAAAAAAAHOAAEAAAAAAAABDAACAAEAAAAAAAAAAQAAAAAAAAAIAAAAOGlpbmYAAAAAAAIAAAAVaW5mZQIAAAEAAQAAaHZjMQAA"
        + "AAAVaW5mZQIAAAAAAgAAZ3JpZAAAAADVaXBycAAAALNpcGNvAAAAc2h2Y0MBA3AAAAAAAAAAAAAe8AD8/fj4AAAPAyAAAQAYQAEMAf//A3AAAAMAkAAAAwAAAwAeugJAIQ"
        + "ABACdCAQEDcAAAAwCQAAADAAADAB6gIIEFlurkprmwIAAAAwAgAAADACEiAAEABkQBwXPAiQAAABRpc3BlAAAAAAAAAEAAAABAAAAAFGlzcGUAAAAAAAAAQAAAACAAAAAQ"
        + "cGl4aQAAAAADCAgIAAAAGmlwbWEAAAAAAAAAAgABAoECAAICA4QAAAAaaXJlZgAAAAAAAAAOZGltZwACAAEAAQAAARRtZGF0AAABCCgBrwY4Wve238Yjf//5Rc+h/V6Kif"
        + "lbpfzQ2cj+slj//sQoonEM4xkIXLcPK3MIJ8XcnLAdig/DDH/wR+4phvsaVCHZdyFTZnDvjzkbL0Jc0C81KVf7t3//mF7//kD4Wi6lun6JVVD7eiLH2+dl29/i/XZ+yYeV"
        + "BR2GL3SELVZEixhynsta3cfA1hGi24fhDCdIXUt0Droq4EXJzkrXG+FsfqVk0MJoS4yqTHIfHIQD9yhSV0Xp8gl9AzfQH0rNu4fTTayVwhk5NtuhW1e+1ehSXqzQ/VX4Kp"
        + "I34fGEcC9OmqXJbD0x7GMRoW5p2VGU6xHj9ckw3uPmHo18OK4sbrpsAMGO6znO3g==";

    internal const string UpsideDown =
        "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAbRtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAACAAAAEGlkYXQAAA"
        + "AAAEAAIAAAADhpbG9jAQAAAERAAAIAAQAAAAAAAAHYAAEAAAAAAAABGAACAAEAAAAAAAAAAQAAAAAAAAAIAAAAOGlpbmYAAAAAAAIAAAAVaW5mZQIAAAEAAQAAaHZjMQAA"
        + "AAAVaW5mZQIAAAAAAgAAZ3JpZAAAAADfaXBycAAAALxpcGNvAAAAc2h2Y0MBA3AAAAAAAAAAAAAe8AD8/fj4AAAPAyAAAQAYQAEMAf//A3AAAAMAkAAAAwAAAwAeugJAIQ"
        + "ABACdCAQEDcAAAAwCQAAADAAADAB6gIIEFlurkprmwIAAAAwAgAAADACEiAAEABkQBwXPAiQAAABRpc3BlAAAAAAAAAEAAAABAAAAAFGlzcGUAAAAAAAAAQAAAACAAAAAQ"
        + "cGl4aQAAAAADCAgIAAAACWlyb3QCAAAAG2lwbWEAAAAAAAAAAgABAoECAAIDA4SFAAAAGmlyZWYAAAAAAAAADmRpbWcAAgABAAEAAAEgbWRhdAAAARQoAa8GOOPnvevX+L"
        + "of//7wb6H2OKiflbpf54N7//Nnn//qZHCs8W6qs7+YVW8aqsifeov3FCSYyxknpGf5n+ee3aGU0LazxhdWt6VGoqN6iZLW9HUunsx7Mfslfkbt7f58+sjfV/t//Relw4Lb"
        + "DEwh17rWIwny+ewljebhFf6PLqCClFBF4r+jf3olVXJmPd34y7//uRkevsjJkwPMga8FK54qwIWXUvKPTKtjuMfptcaVP85zrue47oPWwwAxT0yVT6UD8Zq8qMFxDybPA8"
        + "EwnzEvEbUit+u3KhlZw0haacILUyRTOriVC0T5cVGS8fl+sECXfLF5S15h/NLqWaabRmVHplmpBiD6xv5hgMYxu8AaXoA=";

    internal const string OnItsSide =
        "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAbRtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAACAAAAEGlkYXQAAA"
        + "AAACAAQAAAADhpbG9jAQAAAERAAAIAAQAAAAAAAAHYAAEAAAAAAAAAjwACAAEAAAAAAAAAAQAAAAAAAAAIAAAAOGlpbmYAAAAAAAIAAAAVaW5mZQIAAAEAAQAAaHZjMQAA"
        + "AAAVaW5mZQIAAAAAAgAAZ3JpZAAAAADfaXBycAAAALxpcGNvAAAAc2h2Y0MBA3AAAAAAAAAAAAAe8AD8/fj4AAAPAyAAAQAYQAEMAf//A3AAAAMAkAAAAwAAAwAeugJAIQ"
        + "ABACdCAQEDcAAAAwCQAAADAAADAB6gIIEFlurkprmwIAAAAwAgAAADACEiAAEABkQBwXPAiQAAABRpc3BlAAAAAAAAAEAAAABAAAAAFGlzcGUAAAAAAAAAIAAAAEAAAAAQ"
        + "cGl4aQAAAAADCAgIAAAACWlyb3QDAAAAG2lwbWEAAAAAAAAAAgABAoECAAIDA4SFAAAAGmlyZWYAAAAAAAAADmRpbWcAAgABAAEAAACXbWRhdAAAAIsoAa8GOFr3ttyDf/"
        + "/7Px///Kv5S/fzwb2R+bPOb/UyMuvE0sBn3GWkFccgkQh9PvWXBOgTOUxqKTR6Pb/bX6lWv8lVnvge+q23Sf7pngLuDYan5Sqo3U0g8/RB2pMr+/sph+4QH/9gjvCh9oY3"
        + "l83W+H6mDRzaINMvuxMaMC2TbB+pWd73yu9jYhvw";

    internal const string Avif =
        "AAAAHGZ0eXBhdmlmAAAAAG1pZjFhdmlmbWlhZgAAANZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAAA+g"
        + "ABAAAAAAAAAGwAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABhdjAxAAAAAA5waXRtAAAAAAABAAAAVmlwcnAAAAA4aXBjbwAAAAxhdjFDgQAMAAAAABRpc3BlAAAA"
        + "AAAAAEAAAAAgAAAAEHBpeGkAAAAAAwgICAAAABZpcG1hAAAAAAAAAAEAAQOBAgMAAAB0bWRhdBIACgkYFT/7RAQ0GhAyXRIH9/apAIIIPkAAgNyrvHM/dE22LIH8uGUf12"
        + "2+0TMUfBUCUu7IN9R6g9VkORrlcsJ8rV8sDvDd/4GfLxnrqGYby2gjWYZg52nVMaocL5L2IGfobtd5DgAILaiXQw==";

    // 8000x8000 pixels that are declared as 64x64.
    internal const string Liar =
        "AAAAHGZ0eXBhdmlmAAAAAG1pZjFhdmlmbWlhZgAAANZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAAA+g"
        + "ABAAAAAAAAAx0AAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABhdjAxAAAAAA5waXRtAAAAAAABAAAAVmlwcnAAAAA4aXBjbwAAAAxhdjFDgR8MAAAAABRpc3BlAAAA"
        + "AAAAAEAAAABAAAAAEHBpeGkAAAAAAwgICAAAABZpcG1hAAAAAAAAAAEAAQOBAgMAAAMlbWRhdBIACgsf8z5/8/aICGg0IDKLBhAdjw8Ks7///8WfgQAAY8/KK0BdeSlG3Y"
        + "i/jFNdTAahWRzdZavnTK2ZU2Ef487/jw2+bEhp16tstfCC2pmA94yCtWx964mvusVq1ovGxqdGxAEgvyIVRoStjFH6tggBrisxX/yDAhoy+QIZNI+/sJ/YOHBiz8orQF1K"
        + "0k7NztMMS8XmKAFz5By7SCxryFNsHaiOx3DJYHP+ddgxXJ8OGCi4Hi6BZtl1rIdrQlbVJZeHkex55VRQIUNmqqJV0aEX6gSR1vtDQj5P3ObXHWdo4fmvm8ouRSuAYc/KK0"
        + "AyseW1V6eWDLoSCzmH2+MWWT6WHUlY8V3zeM6OvspS1Dg4lIlDrZ8NCyWeWZYGanajTKyg3qo09paRnJVdQDUTfufPbVDRB+cIwRAKSNb6T6Xe5b01NfWQMf2wy/6IWs/K"
        + "KuTn0/hagMHx5GBmA+sfJK2Lo01avAFlVQUMCNQ5hpkGA3VyCkQrkh7ChJl2vVrkQabSKLLoIuouY0sUek+JV6c/Xqj/lVhl9QalHRoPuzM6n1ghUFb8mUBhz8orQDKx5b"
        + "VXp5YMuhILOYfb4xZZPpYdSVjxXfN4zo6+ylLUODiUiUOtnw0LJZ5ZlgZqdqNMrKDeqjT2lpGclV1ANRN+589tUNEH5wjBEApI1vpPpd7lvTU19ZAx/bDL/ohaz8oq5OfT"
        + "+FqAwfHkYGYD6x8krYujTVq8AWVVBQwI1DmGmQYDdXIKRCuSHsKEmXa9WuRBptIosugi6i5jSxR6T4lXpz9eqP+VWGX1BqUdGg+7MzqfWCFQVvyZQF3PyitAMrHltVenlg"
        + "y6Egs5h9vjFlk+lh1JWPFd83jOjr7KUtQ4OJSJQ62fDQslnlmWBmp2o0ysoN6qNPaWkZyVXUA1E37nz21Q0QfnCMEQCkjW+k+l3uW9NTX1kDH4z8oq5OfT+FqAwfHkYGYD"
        + "6x8krYujTVq8AWVVBQwI1DmGmQYDdXIKRCuSHsKEmXa9WuRBptIosugi6i5jSxR6T4lXpz9eqP+VWGX1BqUdGg+7MzqfWCEw";

    [Theory]
    [InlineData(Upright, "HEIC")]
    [InlineData(UpsideDown, "HEIC")]
    [InlineData(OnItsSide, "HEIC")]
    [InlineData(Avif, "AVIF")]
    public void HEIC_and_AVIF_images_are_decoded_upright(string base64, string name)
    {
        byte[] file = Convert.FromBase64String(base64);
        Assert.Equal(name, ImageFormat.Detect(file).Name);
        RgbImage upright = TestImages.Quadrants(64, 32), decoded = new SkiaImageDecoder().Decode(file, "a.heic");
        Assert.Equal((64, 32), (decoded.Width, decoded.Height));
        Assert.InRange(TestImages.LargestDifference(upright, decoded, margin: 8), 0, 6);
    }

    [Theory]
    [InlineData(Upright)]
    [InlineData(Avif)]
    public void A_huge_image_is_refused_by_its_declared_size(string base64)
    {
        byte[] file = Convert.FromBase64String(base64);
        int size = file.AsSpan().IndexOf("ispe"u8) + 8;
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(size), 60_000);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(size + 4), 60_000);
        Assert.StartsWith("a.heic: 60000x60000 pixels, more than the limit", Refusal(file), StringComparison.Ordinal);
        BinaryPrimitives.WriteInt32BigEndian(file.AsSpan(size), -1);
        Assert.StartsWith("a.heic: 2147483647x60000 pixels", Refusal(file), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Upright)]
    [InlineData(Avif)]
    public void An_image_without_a_size_is_damaged(string base64)
    {
        byte[] file = Convert.FromBase64String(base64);
        for (int at; (at = file.AsSpan().IndexOf("ispe"u8)) >= 0;)
        {
            file[at] = (byte)'x';
        }

        Assert.StartsWith("a.heic: the image is damaged (0x0 pixels)", Refusal(file), StringComparison.Ordinal);
    }

    [Fact]
    public void An_image_larger_than_it_declares_is_refused_by_the_decoder()
    {
        SkiaImageDecoder decoder = new() { MaxPixels = 64 * 64 };
        UniFaceException e = Assert.Throws<UniFaceException>(() => decoder.Decode(Convert.FromBase64String(Liar), "a.avif"));
        Assert.StartsWith("a.avif: the image is damaged", e.Message, StringComparison.Ordinal);
        Assert.Contains("8000x8000 exceeds", e.InnerException!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Compressed_metadata_and_truncated_files_are_refused_before_decoding()
    {
        byte[] file = Convert.FromBase64String(Upright);
        Assert.Contains("the file ends in the middle", Refusal(file[..300]), StringComparison.Ordinal);
        "deflate\0"u8.CopyTo(file.AsSpan(file.AsSpan().IndexOf("hdlr"u8) + 12));
        Assert.Contains("its metadata is compressed", Refusal(file), StringComparison.Ordinal);
    }

    [Fact]
    public void A_decoder_for_untrusted_images_refuses_HEIC_by_name()
    {
        SkiaImageDecoder decoder = new() { ReadsHeif = false };
        UniFaceException e = Assert.Throws<UniFaceException>(() => decoder.Decode(Convert.FromBase64String(Upright), "photo"));
        Assert.Equal("photo: a HEIC image; expected JPEG, PNG, WebP, BMP or GIF: convert it first.", e.Message);
    }

    private static string Refusal(byte[] file) => Assert.Throws<UniFaceException>(() => new SkiaImageDecoder().Decode(file, "a.heic")).Message;
}
