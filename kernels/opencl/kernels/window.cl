// One axis of a window that slides over an input.
typedef struct {
  int in, out, size, stride, dilation, low;
} WindowAxis;
