// What kstatus, and so Helm and Flux, take a resource for: reads an object as JSON, prints its status and the reason.
package main

import (
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
)

func main() {
	var object unstructured.Unstructured
	text, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = object.UnmarshalJSON(text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kstatus:", err)
		os.Exit(2)
	}
	result, err := status.Compute(&object)
	if err != nil {
		fmt.Fprintln(os.Stderr, "kstatus:", err)
		os.Exit(1)
	}
	fmt.Println(result.Status)
	fmt.Println(result.Message)
}
