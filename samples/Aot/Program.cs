// Compares two photos: dotnet publish, then Aot a.jpg b.jpg
using UniFace.Embeddings;
using UniFace.Faces;
using UniFace.Vision;

using FaceRecognizer recognizer = FaceRecognizer.Open("dlib-resnet");
RgbImage[] faces = [.. args.Select(photo => recognizer.Photos.Align(File.ReadAllBytes(photo), photo)!.Image)];
float[] embeddings = recognizer.Embedder.Embed(faces);
int size = recognizer.Embedder.EmbeddingSize;
Console.WriteLine($"score {CosineSimilarity.Compute(embeddings.AsSpan(0, size), embeddings.AsSpan(size)):F4}");
