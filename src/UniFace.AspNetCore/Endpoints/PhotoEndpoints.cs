namespace UniFace.AspNetCore.Endpoints;

/// <summary>/v1/detect, /v1/align, /v1/embed: the faces of a photo, its main face aligned, or that face's embedding.</summary>
internal static class PhotoEndpoints
{
    /// <summary>A photo.</summary>
    internal sealed record PhotoRequest : FaceRequest
    {
        /// <summary>JPEG, PNG, WebP, BMP or GIF.</summary>
        public byte[]? Photo { get; init; }
    }

    /// <summary>The faces of a photo.</summary>
    /// <param name="Width">Width of the photo in pixels, upright.</param>
    /// <param name="Height">Height of the photo in pixels.</param>
    /// <param name="Detector">The detector used.</param>
    /// <param name="Faces">The faces, the main one first.</param>
    internal sealed record DetectAnswer(int Width, int Height, string Detector, IReadOnlyList<FaceAnswer> Faces);

    /// <summary>The embedding of a photo's main face.</summary>
    /// <param name="ContractId">Only embeddings of one contract may be compared.</param>
    /// <param name="Embedding">Unit vector; the similarity of two faces is their dot product.</param>
    /// <param name="Face">The face.</param>
    internal sealed record EmbedAnswer(string ContractId, float[] Embedding, FaceAnswer Face);

    public static void Map(RouteGroupBuilder v1)
    {
        v1.MapPost("/detect", DetectAsync).WithName("detect").RequireRecognition(Scope.Read);
        v1.MapPost("/align", AlignAsync).WithName("align").RequireRecognition(Scope.Read).Produces<byte[]>(Status200OK, "image/png");
        v1.MapPost("/embed", EmbedAsync).WithName("embed").RequireRecognition(Scope.Read);
    }

    /// <summary>Find the faces of a photo</summary>
    internal static async Task<DetectAnswer> DetectAsync(
        Upload<PhotoRequest> body, Recognizer recognizer, HttpContext context, CancellationToken stop)
    {
        PhotoRequest request = body.Value;
        byte[] file = EndpointExtensions.RequirePhoto(request.Photo, "photo");
        (Photo photo, IReadOnlyList<AlignedFace> found) =
            await recognizer.FindFacesAsync(file, "photo", FaceChoice.All, request.Aligned, Caller.GetFairShare(context), stop);
        string detector = request.Aligned ? "aligned" : recognizer.Model.Photos.DetectorName;
        return new DetectAnswer(photo.Width, photo.Height, detector, [.. found.Select(f => FaceAnswer.Create(f, request.Crops))]);
    }

    /// <summary>Crop and align the main face of a photo, as a PNG of the model's size</summary>
    internal static async Task<FileContentHttpResult> AlignAsync(
        Upload<PhotoRequest> body, Recognizer recognizer, HttpContext context, CancellationToken stop)
    {
        AlignedFace face = await recognizer.RequireMainFaceAsync(
            body.Value.Photo, "photo", body.Value.Aligned, Caller.GetFairShare(context), stop);
        return TypedResults.File(ImageEncoder.Png(face.Image), "image/png");
    }

    /// <summary>Embed the main face of a photo</summary>
    internal static async Task<EmbedAnswer> EmbedAsync(
        Upload<PhotoRequest> body, Recognizer recognizer, AuditLog audit, HttpContext context, CancellationToken stop)
    {
        string caller = Caller.GetFairShare(context);
        AlignedFace face = await recognizer.RequireMainFaceAsync(body.Value.Photo, "photo", body.Value.Aligned, caller, stop);
        float[] embedding = await recognizer.EmbedAsync(face, caller, stop);
        await audit.AddSoonAsync(context.Event("embed"), stop);
        return new EmbedAnswer(recognizer.Model.ContractId, embedding, FaceAnswer.Create(face, body.Value.Crops));
    }
}
